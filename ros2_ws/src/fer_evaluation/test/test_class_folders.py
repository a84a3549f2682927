# SPDX-License-Identifier: Apache-2.0
"""Layouts of labelled pictures: Kaggle, AffectNet, macOS and others."""

import json

import cv2
import numpy as np
import pytest

from fer_evaluation import evaluate_bag
from fer_evaluation.datasets.class_folders import (
    check_class_names,
    class_files,
    other_files,
    read_class_folders,
)
from fer_evaluation.datasets.class_names import CLASS_NAMES
from fer_evaluation.datasets.fer2013 import Usage
from fer_perception.emotions import EMOTIONS

KAGGLE = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
AFFECTNET = ("Anger", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")


def write_faces(folder, names, count=3):
    rng = np.random.default_rng(0)
    for name in names:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            picture = rng.integers(0, 256, (48, 48, 3), np.uint8)
            assert cv2.imwrite(str(folder / name / f"{number}.png"), picture)
    return folder


def run(folder, out, *options):
    return evaluate_bag.main([str(folder), "--out", str(out), "--quiet", *options])


@pytest.mark.parametrize("names", [KAGGLE, AFFECTNET, EMOTIONS])
def test_the_usual_names_of_all_classes_are_evaluated(tmp_path, names):
    write_faces(tmp_path / "faces", names)
    assert run(tmp_path / "faces", tmp_path / "out") == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())["metrics"]
    assert metrics["true_faces"] == 21
    assert {
        name: sum(row.values()) for name, row in metrics["confusion"].items()
    } == dict.fromkeys(EMOTIONS, 3)


def test_every_synonym_is_of_a_class_of_ours():
    assert set(CLASS_NAMES.values()) == set(EMOTIONS)
    assert all(name == name.lower() for name in CLASS_NAMES)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("contempt", "the networks have no class 'contempt'; move the folder away"),
        ("hapiness", r"hapiness is not a class: did you mean 'happiness'\?"),
        ("7", "7 is not a class: expected neutral, happiness"),
    ],
)
def test_an_unknown_class_is_named_and_refused(tmp_path, capsys, name, message):
    write_faces(tmp_path / "faces", (*KAGGLE, name))
    with pytest.raises(ValueError, match=message) as error:
        check_class_names(tmp_path / "faces")
    assert run(tmp_path / "faces", tmp_path / "out") == 2
    assert capsys.readouterr().err == f"evaluate_bag: {error.value}\n"
    assert not (tmp_path / "out").exists()


def test_pictures_come_in_the_order_of_their_numbers_and_hidden_ones_not_at_all(tmp_path):
    folder = tmp_path / "happy"
    folder.mkdir()
    for number in (10, 9, 1, 100, 2):
        (folder / f"frame_{number}.png").touch()
    for hidden in ("._frame_1.png", ".DS_Store"):
        (folder / hidden).touch()
    (folder / ".thumbnails").mkdir()
    (folder / ".thumbnails" / "frame_1.png").touch()
    assert [(path.name, label) for path, label in class_files(tmp_path)] == [
        (f"frame_{number}.png", "happiness") for number in (1, 2, 9, 10, 100)
    ]
    assert not other_files(tmp_path)


def test_a_broken_picture_is_left_out_named_and_counted(tmp_path, capsys):
    write_faces(tmp_path / "faces", EMOTIONS)
    (tmp_path / "faces" / "fear" / "1.png").write_bytes(b"not a picture")
    (tmp_path / "faces" / "fear" / "._1.png").write_bytes(b"\0\5\x16\7")
    (tmp_path / "faces" / "anger" / "notes.txt").write_text("hello")
    assert run(tmp_path / "faces", tmp_path / "out") == 0
    document = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert document["metrics"]["frames"] == 21
    assert document["metrics"]["unreadable_frames"] == 1
    assert document["metrics"]["true_faces"] == 20
    assert document["unused"] == [
        {"what": "pictures", "count": 1, "reason": "they cannot be decoded: fear/1.png"},
        {"what": "files", "count": 1, "reason": "they are not pictures: .txt (1)"},
    ]
    errors = capsys.readouterr().err
    assert "warning: left out:" in errors and "fear/1.png" in errors
    assert "warning: 1 pictures not used" in errors
    assert "fear/1.png" in (tmp_path / "out" / "report.html").read_text()
    rows = (tmp_path / "out" / "emotions.csv").read_text().splitlines()
    assert len(rows) == 1 + 20


def test_a_folder_of_which_no_picture_can_be_read_is_an_error(tmp_path, capsys):
    (tmp_path / "faces" / "fear").mkdir(parents=True)
    (tmp_path / "faces" / "fear" / "1.png").write_bytes(b"not a picture")
    assert run(tmp_path / "faces", tmp_path / "out") == 2
    assert "none of its 1 pictures can be read" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_training_leaves_a_broken_picture_out_but_not_a_whole_class(tmp_path, caplog):
    for part in ("train", "validation"):
        write_faces(tmp_path / part, KAGGLE)
    (tmp_path / "train" / "fear" / "1.png").write_bytes(b"not a picture")
    data = read_class_folders(tmp_path)
    assert len(data.rows(Usage.TRAINING)) == 20
    assert len(data.rows(Usage.PRIVATE_TEST)) == 21
    assert "fear/1.png" in caplog.text
    for number in range(3):
        (tmp_path / "train" / "fear" / f"{number}.png").write_bytes(b"not a picture")
    with pytest.raises(FileNotFoundError, match="train holds no picture of fear"):
        read_class_folders(tmp_path)


def test_pictures_beside_the_class_folders_are_counted_and_named(tmp_path, capsys):
    faces = write_faces(tmp_path / "faces", EMOTIONS)
    for name in ("b10.png", "b2.jpg"):
        (faces / name).write_bytes((faces / "fear" / "1.png").read_bytes())
    (faces / ".hidden.png").touch()
    assert run(faces, tmp_path / "out") == 0
    document = json.loads((tmp_path / "out" / "metrics.json").read_text())
    reason = "they lie beside the class folders: b2.jpg, b10.png"
    assert document["unused"] == [{"what": "pictures", "count": 2, "reason": reason}]
    assert document["metrics"]["frames"] == 21
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("inner", ["angry", "sub/Angry", "contempt"])
def test_a_folder_of_another_class_within_one_is_refused(tmp_path, capsys, inner):
    faces = write_faces(tmp_path / "faces", ("happy", f"happy/{inner}"))
    assert run(faces, tmp_path / "out") == 2
    assert f"happy/{inner} names another class than" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_other_folders_within_a_class_belong_to_it(tmp_path):
    write_faces(tmp_path, ("happy", "happy/studio", "happy/happiness", "happy/.old/angry"))
    check_class_names(tmp_path)
    assert [label for _, label in class_files(tmp_path)] == ["happiness"] * 9


def test_pictures_that_the_training_cannot_sort_are_named(tmp_path, caplog):
    for part in ("train", "validation"):
        write_faces(tmp_path / part, KAGGLE)
    (tmp_path / "train" / "stray.png").touch()
    assert len(read_class_folders(tmp_path).rows(Usage.TRAINING)) == 21
    assert "train/stray.png lies beside the class folders" in caplog.text


def test_a_folder_of_pictures_without_classes_points_at_make_bag(tmp_path, capsys):
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "1.png").touch()
    assert run(tmp_path / "frames", tmp_path / "out") == 2
    assert f"make_bag {tmp_path / 'frames'} BAG" in capsys.readouterr().err
