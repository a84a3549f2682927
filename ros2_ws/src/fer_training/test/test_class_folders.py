# SPDX-License-Identifier: Apache-2.0
"""Custom faces: cropped, read for training, or refused with a reason."""

import cv2
import numpy as np
import pytest

from fer_evaluation.datasets.class_folders import MAX_CROP_PX
from fer_evaluation.datasets.fer2013 import Usage
from fer_evaluation.datasets.votes import plurality_labels
from fer_perception.emotions import EMOTIONS
from fer_training import crop_faces, export, train
from fer_training.exporting.calibration import fit_temperature
from fer_training.learning.training_data import read_training_data


@pytest.fixture
def faces(tmp_path, rng):
    """Two faces of each class to train and one to validate, of different sizes and kinds."""
    folder = tmp_path / "my_faces"
    for part, count in (("train", 2), ("validation", 1)):
        for emotion in EMOTIONS:
            (folder / part / emotion.capitalize()).mkdir(parents=True)
            for number in range(count):
                picture = rng.integers(0, 256, (48 + 20 * number, 48 + 20 * number, 3), np.uint8)
                path = folder / part / emotion.capitalize() / f"{number}.png"
                cv2.imwrite(str(path), picture)
    return folder


def test_parts_and_classes_become_splits_and_labels(faces):
    data = read_training_data(faces)
    assert data.images.shape == (21, 48, 48)
    for usage, count in ((Usage.TRAINING, 2), (Usage.PRIVATE_TEST, 1), (Usage.PUBLIC_TEST, 0)):
        labels = plurality_labels(data.votes[data.rows(usage)])
        assert np.bincount(labels, minlength=len(EMOTIONS)).tolist() == [count] * len(EMOTIONS)
    picture = cv2.imread(str(faces / "validation" / "Fear" / "0.png"), cv2.IMREAD_GRAYSCALE)
    difference = data.images[-1 - EMOTIONS.index("fear") :].astype(int) - picture.astype(int)
    assert np.abs(difference).reshape(len(difference), -1).max(axis=1).min() <= 1


def _remove(faces, name):
    for path in sorted((faces / name).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (faces / name).rmdir()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda faces: _remove(faces, "validation"), r"validation is missing: .* crop_faces"),
        (lambda faces: _remove(faces, "train/Disgust"), r"train holds no picture of disgust: "),
        (
            lambda faces: (faces / "train" / "Happiness").rename(faces / "train" / "hapiness"),
            r"hapiness is not a class: did you mean 'happiness'\?",
        ),
        (
            lambda faces: [
                path.write_bytes(b"not a picture") for path in (faces / "train" / "Fear").iterdir()
            ],
            r"train holds no picture of fear: ",
        ),
        (
            lambda faces: cv2.imwrite(
                str(faces / "train" / "Fear" / "0.png"), np.zeros((200, 300, 3), np.uint8)
            ),
            r"0\.png has 300 x 200 pixels: .* at most 128; crop_faces",
        ),
        (
            lambda faces: [(faces / "train").rename(faces / "fear"), _remove(faces, "validation")],
            r"train is missing",
        ),
    ],
    ids=["part", "class", "name", "picture", "size", "no parts"],
)
@pytest.mark.parametrize(
    "command",
    [
        lambda faces: train.main(
            ["--network", "baseline_cnn", "--data", str(faces), "--out", str(faces / "out")]
        ),
        lambda faces: export.main(
            ["--checkpoint", "no", "--data", str(faces), "--out", str(faces / "out")]
        ),
    ],
    ids=["train", "export"],
)
def test_what_cannot_be_trained_on_is_refused_in_one_line(faces, spoil, message, command, capsys):
    spoil(faces)
    with pytest.raises(SystemExit) as ended:
        command(faces)
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    with pytest.raises((FileNotFoundError, ValueError), match=message) as error:
        read_training_data(faces)
    assert str(error.value) in printed
    assert not (faces / "out").exists()


def test_too_few_faces_for_a_step_are_refused(faces, tmp_path, capsys):
    with pytest.raises(SystemExit):
        train.main(
            ["--network", "baseline_cnn", "--recipe", "fine_tune", "--data", str(faces)]
            + ["--out", str(tmp_path / "out")]
        )
    assert "14 training faces are too few: the recipe takes 32" in capsys.readouterr().err


@pytest.fixture
def photos(tmp_path, portrait):
    """Photographs of two classes: five with a face, one without, one that cannot be read."""
    folder = tmp_path / "photos"
    for emotion, count in (("happiness", 4), ("fear", 1)):
        (folder / emotion).mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(str(folder / emotion / f"{number}.jpg"), portrait[..., ::-1])
    cv2.imwrite(str(folder / "fear" / "wall.jpg"), np.full((480, 640, 3), 90, np.uint8))
    (folder / "happiness" / "broken.jpg").write_bytes(b"no picture")
    return folder


def written_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))


def test_photographs_become_aligned_faces_in_two_parts(photos, tmp_path, caplog):
    out = tmp_path / "faces"
    crop_faces.main([str(photos), str(out), "--validation-share", "0.3"])
    names = written_in(out)
    assert len([name for name in names if "happiness" in name]) == 4
    assert [name for name in names if "fear" in name] == ["train/fear/0.jpg.png"]
    assert len([name for name in names if name.startswith("validation/happiness/")]) in (1, 2)
    assert "no face was found in" in caplog.text and "wall.jpg" in caplog.text
    assert "left out: " in caplog.text and "broken.jpg" in caplog.text
    crops = [cv2.imread(str(out / name), cv2.IMREAD_UNCHANGED) for name in names]
    assert {crop.shape for crop in crops} == {(48, 48)}
    # The same choice each time, and nothing is written over.
    with pytest.raises(SystemExit):
        crop_faces.main([str(photos), str(out)])
    crop_faces.main([str(photos), str(tmp_path / "again"), "--validation-share", "0.3"])
    assert written_in(tmp_path / "again") == names


def test_parts_that_were_sorted_by_hand_stay(photos, tmp_path):
    sorted_photos = tmp_path / "sorted"
    for part, emotion in (("train", "happiness"), ("validation", "fear")):
        (sorted_photos / part).mkdir(parents=True)
        (photos / emotion).rename(sorted_photos / part / emotion)
    crop_faces.main([str(sorted_photos), str(tmp_path / "faces")])
    assert written_in(tmp_path / "faces") == [
        *(f"train/happiness/{number}.jpg.png" for number in range(4)),
        "validation/fear/0.jpg.png",
    ]


def test_photographs_without_a_face_are_an_error(tmp_path, capsys):
    (tmp_path / "photos" / "fear").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "photos" / "fear" / "1.png"), np.full((480, 640, 3), 90, np.uint8))
    with pytest.raises(SystemExit) as ended:
        crop_faces.main([str(tmp_path / "photos"), str(tmp_path / "faces")])
    assert ended.value.code == 2
    assert "none of the 1 photographs" in capsys.readouterr().err
    assert not (tmp_path / "faces").exists()


def test_a_face_that_cannot_be_written_is_not_counted(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cv2, "imwrite", lambda *_: False)
    with pytest.raises(SystemExit) as ended:
        crop_faces.main([str(photos), str(tmp_path / "faces")])
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert "cannot be written" in captured.err and captured.out == ""


def test_the_usual_synonyms_become_our_classes(photos, tmp_path):
    (photos / "happiness").rename(photos / "Happy")
    crop_faces.main([str(photos), str(tmp_path / "faces")])
    assert {name.split("/")[1] for name in written_in(tmp_path / "faces")} == {"happiness", "fear"}


def test_small_pictures_are_faces_already(tmp_path):
    (tmp_path / "photos" / "anger").mkdir(parents=True)
    picture = np.full((MAX_CROP_PX, MAX_CROP_PX, 3), 77, np.uint8)
    cv2.imwrite(str(tmp_path / "photos" / "anger" / "0.png"), picture)
    crop_faces.main([str(tmp_path / "photos"), str(tmp_path / "faces")])
    [name] = written_in(tmp_path / "faces")
    assert (cv2.imread(str(tmp_path / "faces" / name)) == 77).all()


def test_a_few_right_answers_do_not_make_a_network_certain():
    import torch

    labels = torch.arange(14) % 7
    logits = 5.0 * torch.nn.functional.one_hot(labels, 7).float()
    confidence = (logits / fit_temperature(logits, labels)).softmax(dim=1).max().item()
    assert confidence == pytest.approx(15 / 16, abs=0.01)
