# SPDX-License-Identifier: Apache-2.0
import csv
import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Generator

from fer_common import atomic_file
from fer_evaluation.datasets.fer2013 import Fer2013, Usage
from fer_evaluation.datasets.fer2013_reader import read_fer2013
from fer_evaluation.datasets.votes import EXCLUDED, plurality_labels, soft_targets
from fer_perception.emotions import EMOTIONS
from fer_training.exporting.calibration import fit_temperature
from fer_training.learning import teacher as teacher_module
from fer_training.learning import training as training_module
from fer_training.learning.augmentation import (
    Augmentation,
    change_levels_and_geometry,
    erase,
    mix,
)
from fer_training.learning.batches import draw_order
from fer_training.learning.labelled_faces import select_faces
from fer_training.learning.optimizer import one_cycle_factor
from fer_training.learning.prediction import predict
from fer_training.learning.recipes import RECIPES, Recipe, Stage
from fer_training.learning.teacher import Teachers
from fer_training.learning.trained_network import TrainedNetwork, load_checkpointed
from fer_training.learning.training import train


def _votes(**columns):
    names = (*EMOTIONS, "contempt", "unknown", "NF")
    return [columns.get(name, 0) for name in names]


def test_plurality_takes_the_first_of_equals_and_leaves_out_what_is_no_class():
    votes = np.array(
        [
            _votes(sadness=6, neutral=4),
            _votes(happiness=5, fear=5),
            _votes(contempt=6, anger=4),
            _votes(unknown=5, anger=4),
            _votes(NF=10),
        ]
    )
    expected = [EMOTIONS.index("sadness"), EMOTIONS.index("happiness"), *[EXCLUDED] * 3]
    assert plurality_labels(votes).tolist() == expected


def test_soft_targets_drop_single_votes_and_other_columns():
    [target] = soft_targets(np.array([_votes(anger=6, disgust=2, fear=1, unknown=1)]))
    assert target[EMOTIONS.index("anger")] == pytest.approx(0.75)
    assert target[EMOTIONS.index("disgust")] == pytest.approx(0.25)
    [only_single] = soft_targets(np.array([_votes(anger=1, NF=9)]))
    assert only_single[EMOTIONS.index("anger")] == 1.0
    with pytest.raises(ValueError, match="row 0"):
        soft_targets(np.array([_votes(NF=10)]))


def test_fer2013_has_the_counts_of_the_report(fer2013):
    labels = plurality_labels(fer2013.votes)
    counts = np.bincount(labels[labels != EXCLUDED], minlength=7)
    assert dict(zip(EMOTIONS, counts.tolist(), strict=True)) == {
        "neutral": 12906,
        "happiness": 9355,
        "surprise": 4462,
        "sadness": 4371,
        "anger": 3111,
        "disgust": 248,
        "fear": 819,
    }
    sizes = [len(select_faces(fer2013, fer2013.rows(u), soft=False).labels) for u in Usage]
    assert sizes[1:] == [3529, 3519]


def test_no_test_picture_is_trained_on(fer2013):
    rows = fer2013.leak_free_training_rows()
    trained = {fer2013.images[row].tobytes() for row in rows}
    held_out = np.concatenate([fer2013.rows(Usage.PUBLIC_TEST), fer2013.rows(Usage.PRIVATE_TEST)])
    assert not [row for row in held_out if fer2013.images[row].tobytes() in trained]
    assert len(rows) > 27_000


def test_missing_data_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"labels\.npz"):
        read_fer2013(tmp_path)


@pytest.fixture
def small_data(rng):
    """Pictures of which the class decides the brightness of one corner."""
    count = 120
    labels = np.arange(count) % len(EMOTIONS)
    images = rng.integers(0, 60, (count, 48, 48), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[8 * (label % 3) : 8 * (label % 3) + 12, 12 * (label // 3) :][:, :12] = 220
    votes = np.zeros((count, 10), np.uint8)
    votes[np.arange(count), labels] = 9
    usage = np.repeat([Usage.TRAINING, Usage.PRIVATE_TEST], [96, 24])
    return Fer2013(images, votes, usage, np.zeros(count, bool))


SMALL = Recipe(
    stages=(Stage(2, image_size_px=32), Stage(1)),
    augmentation=Augmentation(rotation_deg=5.0, erase_probability=0.5),
    batch_size=32,
    schedule="one_cycle",
    balance=0.25,
    soft_targets=True,
    plurality_share=0.3,
    mixup=0.5,
    ema_decay=0.5,
)


@pytest.mark.parametrize(
    ("network_name", "recipe"),
    [
        ("vgg_stn_msa", SMALL),
        ("deep_emotion", Recipe((Stage(3),), Augmentation(), batch_size=32)),
        ("compact", replace(SMALL, views=2)),
    ],
)
def test_resumed_run_repeats_what_an_unbroken_one_does(
    small_data, tmp_path, network_name, recipe, monkeypatch
):
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    train(network_name, recipe, small_data, unbroken, seed=3)

    calls = []

    def killed_after_two(*args, **kwargs):
        calls.append(1)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    original = training_module.batches
    monkeypatch.setattr(training_module, "batches", killed_after_two)
    with pytest.raises(KeyboardInterrupt):
        train(network_name, recipe, small_data, broken, seed=3)
    monkeypatch.undo()
    train(network_name, recipe, small_data, broken, seed=3, resume=True)

    expected, got = (load_file(run / "last.safetensors") for run in (unbroken, broken))
    assert expected.keys() == got.keys()
    for key, value in expected.items():
        assert torch.equal(value, got[key]), key
    with (broken / "log.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3"]
    trained = load_checkpointed(broken / "best.safetensors")
    assert trained.name == network_name and not trained.network.training


@pytest.mark.parametrize(("epochs", "patience"), [(2, None), (3, 1)])
def test_a_run_that_ends_between_any_two_files_can_be_resumed(
    small_data, tmp_path, monkeypatch, epochs, patience
):
    recipe = Recipe((Stage(epochs),), Augmentation(), batch_size=32, patience=patience)
    unbroken = tmp_path / "unbroken"
    train("deep_emotion", recipe, small_data, unbroken, seed=3)
    expected = {path.name: path.read_bytes() for path in unbroken.iterdir()}
    put_in_place = atomic_file.put_in_place
    for files in itertools.count():
        broken = tmp_path / f"after_{files}"
        left = files

        def put_so_many(part, path):
            nonlocal left
            if not left:
                raise KeyboardInterrupt
            left -= 1
            put_in_place(part, path)

        monkeypatch.setattr(atomic_file, "put_in_place", put_so_many)
        try:
            train("deep_emotion", recipe, small_data, broken, seed=3)
            break
        except KeyboardInterrupt:
            pass
        monkeypatch.undo()
        resume = (broken / "last.safetensors").exists()
        train("deep_emotion", recipe, small_data, broken, seed=3, resume=resume)
        assert {path.name: path.read_bytes() for path in broken.iterdir()} == expected, files
    assert files >= 5


def test_a_checkpoint_that_kept_no_log_can_be_resumed(small_data, tmp_path):
    recipe = Recipe((Stage(2),), Augmentation(), batch_size=32)
    train("deep_emotion", replace(recipe, stages=(Stage(1),)), small_data, tmp_path, seed=3)
    last = tmp_path / "last.safetensors"
    with safe_open(last, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        state = json.loads(file.metadata()["state"])
    del state["log"]
    save_file(tensors, last, metadata={"state": json.dumps(state)})
    train("deep_emotion", recipe, small_data, tmp_path, seed=3, resume=True)
    with (tmp_path / "log.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["2"]


def test_resume_without_a_checkpoint_is_refused(small_data, tmp_path):
    with pytest.raises(FileNotFoundError, match="without --resume"):
        train("baseline_cnn", SMALL, small_data, tmp_path, resume=True)


def test_training_learns_what_can_be_learnt(small_data, tmp_path):
    recipe = Recipe(
        (Stage(25),), Augmentation(flip=False), batch_size=16, learning_rate=0.05, balance=0.0
    )
    train("deep_emotion", recipe, small_data, tmp_path)
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[-1]["training_loss"]) < 0.6 * float(rows[0]["training_loss"])


@pytest.mark.parametrize("balance", [0.0, 1.0])
def test_balance_decides_how_often_rare_classes_are_drawn(balance):
    labels = torch.tensor([0] * 900 + [1] * 100)
    order = draw_order(labels, balance, Generator().manual_seed(0))
    share = (labels[order] == 1).double().mean().item()
    assert share == pytest.approx(0.1 if balance == 0.0 else 0.5, abs=0.05)


def test_stages_follow_each_other_and_end():
    recipe = RECIPES["quick"]
    sizes = [recipe.stage_of(epoch).image_size_px for epoch in range(recipe.epochs)]
    assert sizes == sorted(sizes) and sizes[0] == 32 and sizes[-1] == 48
    assert recipe.stage_of(recipe.epochs - 1).attention
    with pytest.raises(IndexError):
        recipe.stage_of(recipe.epochs)


def test_one_cycle_rises_then_falls_to_nothing():
    rates = [one_cycle_factor(i / 1000) for i in range(1001)]
    top = int(np.argmax(rates))
    assert max(rates) == pytest.approx(1.0, abs=1e-3) and 30 < top < 70
    assert rates[:top] == sorted(rates[:top]) and rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] == pytest.approx(0.0, abs=1e-9)


def test_augmentation_of_strength_zero_changes_nothing_and_otherwise_stays_in_range():
    faces = torch.rand(8, 1, 48, 48)
    still = change_levels_and_geometry(faces, Augmentation(flip=False), Generator().manual_seed(0))
    torch.testing.assert_close(still, faces, atol=1e-4, rtol=0)
    strong = RECIPES["quick"].augmentation
    changed = change_levels_and_geometry(faces, strong, Generator().manual_seed(0))
    assert changed.shape == faces.shape
    assert changed.min() >= 0.0 and changed.max() <= 1.0 + 1e-5
    assert (changed - faces).abs().mean() > 0.05


def test_flip_mirrors_about_half_of_the_pictures():
    ramp = torch.linspace(0, 1, 48).expand(200, 1, 48, 48)
    changed = change_levels_and_geometry(ramp, Augmentation(), Generator().manual_seed(0))
    mirrored = changed[:, 0, 0, 0] > 0.5
    assert 70 < mirrored.sum() < 130


def test_erasing_leaves_one_grey_rectangle_in_its_share_of_the_pictures():
    faces = torch.ones(400, 1, 48, 48)
    erased = erase(faces, Augmentation(erase_probability=0.3), Generator().manual_seed(0))
    share = (erased == 0).flatten(1).double().mean(dim=1)
    touched = share > 0
    assert 0.2 < touched.double().mean() < 0.4
    assert share[touched].max() < 0.25
    for picture in erased[touched][:20, 0]:
        rows, columns = np.nonzero(picture.numpy() == 0)
        area = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        assert len(rows) == area


def test_cut_leaves_a_strip_along_one_edge_in_the_mean_of_the_rest():
    faces = torch.rand(400, 1, 48, 48)
    cut = Augmentation(flip=False, cut_probability=0.3)
    changed = change_levels_and_geometry(faces, cut, Generator().manual_seed(0))
    sides = set()
    touched = 0
    for before, after in zip(faces[:, 0].numpy(), changed[:, 0].numpy(), strict=True):
        rows, columns = np.nonzero(np.abs(after - before) > 1e-3)
        if not len(rows):
            continue
        touched += 1
        top, left = rows.min(), columns.min()
        strip = after[top : rows.max() + 1, left : columns.max() + 1]
        assert strip.size <= 0.45 * after.size and 48 in strip.shape
        assert (top, left) == (0, 0) or rows.max() == 47 and columns.max() == 47
        assert np.ptp(strip) < 1e-3
        assert after.mean() == pytest.approx(strip.mean(), abs=1e-3)  # so of the rest, too
        sides.add((strip.shape[0] == 48, top == left == 0))
    assert 70 < touched < 170 and len(sides) == 4


def test_a_mixed_batch_has_targets_mixed_by_the_same_weight():
    faces = torch.arange(4.0)[:, None, None, None].expand(4, 1, 48, 48)
    targets = torch.eye(7)[:4]
    mixed = 0
    for seed in range(200):
        images, got = mix(faces, targets, 0.3, Generator().manual_seed(seed))
        # The value of a face is what its target says, however much of which face it holds.
        torch.testing.assert_close(images[:, 0, 0, 0], got[:, :4] @ torch.arange(4.0))
        torch.testing.assert_close(got.sum(dim=1), torch.ones(4))
        mixed += not torch.equal(got, targets)
    assert 40 < mixed < 80


def test_soft_targets_take_their_share_of_the_plurality(small_data):
    rows = small_data.rows(Usage.TRAINING)
    small_data.votes[rows[0]] = _votes(anger=6, disgust=4)
    [target] = select_faces(small_data, rows[:1], soft=True, plurality_share=0.5).targets
    assert target[EMOTIONS.index("anger")] == pytest.approx(0.5 * 0.6 + 0.5)
    assert target[EMOTIONS.index("disgust")] == pytest.approx(0.5 * 0.4)


class _Sure(torch.nn.Module):
    """Answers anger to bright faces and sadness to dark ones."""

    def forward(self, faces):
        classes = [EMOTIONS.index("anger" if face.mean() > 0 else "sadness") for face in faces]
        return 50 * torch.eye(7)[classes]


@pytest.fixture
def teacher(monkeypatch):
    """A teacher called "t"."""
    monkeypatch.setattr(
        teacher_module, "load_trained", lambda source: TrainedNetwork(_Sure(), source)
    )
    return Teachers(["t"], torch.device("cpu"))


def test_targets_move_towards_the_teachers_scores_of_the_same_faces(teacher):
    faces = torch.stack([torch.full((1, 48, 48), level) for level in (1.0, -1.0)])
    happy = torch.eye(7)[[EMOTIONS.index("happiness")] * 2]
    mixed = teacher.mixed_targets(happy, faces, 0.75)
    expected = torch.zeros(2, 7)
    expected[:, EMOTIONS.index("happiness")] = 0.25
    expected[0, EMOTIONS.index("anger")] = expected[1, EMOTIONS.index("sadness")] = 0.75
    torch.testing.assert_close(mixed, expected)


def test_a_network_learns_from_its_teacher_instead_of_the_votes(small_data, tmp_path, teacher):
    recipe = Recipe((Stage(8),), Augmentation(), batch_size=16, teacher_weight=1.0)
    best = train("deep_emotion", recipe, small_data, tmp_path, teachers=["t"])
    network = load_checkpointed(best.with_name("last.safetensors")).network.eval()
    predicted = predict(network, torch.from_numpy(small_data.images)).argmax(dim=1)
    assert {EMOTIONS[index] for index in predicted.tolist()} <= {"anger", "sadness"}


def test_a_checkpoint_teaches(small_data, tmp_path):
    recipe = Recipe((Stage(1),), Augmentation(), batch_size=32, teacher_weight=0.5)
    train("deep_emotion", recipe, small_data, tmp_path / "first")
    teacher = str(tmp_path / "first" / "last.safetensors")
    [scores] = Teachers([teacher], torch.device("cpu")).scores(torch.randn(1, 1, 48, 48))
    assert scores.sum().item() == pytest.approx(1.0)
    train("deep_emotion", recipe, small_data, tmp_path / "second", teachers=[teacher])
    first, second = (load_file(tmp_path / f / "last.safetensors") for f in ("first", "second"))
    assert not torch.equal(
        first["network.classifier.15.weight"], second["network.classifier.15.weight"]
    )
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        Teachers([str(tmp_path / "none.safetensors")], torch.device("cpu"))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_temperature_that_made_the_logits_too_sure_is_found(temperature):
    generator = Generator().manual_seed(0)
    true_logits = 1.5 * torch.randn(20_000, 7, generator=generator)
    labels = torch.multinomial(true_logits.softmax(dim=1), 1, generator=generator)[:, 0]
    assert fit_temperature(true_logits * temperature, labels) == pytest.approx(
        temperature, rel=0.05
    )
