# SPDX-License-Identifier: Apache-2.0
"""Stored views hold what the recipe says, and are never mistaken for others."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fer_perception.recognition.model_store import load_model
from fer_perception.recognition.recognizer import EmotionRecognizer
from fer_training.learning.augmentation import Augmentation
from fer_training.learning.augmented_views import AugmentedViews
from fer_training.learning.recipes import Recipe, Stage

RECIPE = Recipe((Stage(1),), Augmentation(rotation_deg=20.0), views=2, teacher_weight=0.5)


@pytest.fixture
def faces(rng):
    return torch.from_numpy(rng.integers(0, 256, (40, 48, 48), np.uint8))


def test_epochs_take_the_views_in_turn_and_a_restart_reads_them(faces, tmp_path):
    views = AugmentedViews(tmp_path, faces, RECIPE, (), seed=0)
    first, second, third = (views.of_epoch(epoch)[0] for epoch in range(3))
    assert torch.equal(first, third) and not torch.equal(first, second)
    assert not torch.equal(first, faces) and first.shape == faces.shape
    again = AugmentedViews(tmp_path, faces, RECIPE, (), seed=0)
    stored = (tmp_path / "view_1.npz").stat().st_ino
    assert torch.equal(again.of_epoch(1)[0], second)
    assert (tmp_path / "view_1.npz").stat().st_ino == stored, "computed again"


def test_scores_are_the_teachers_of_the_very_view(faces, tmp_path, repository_models):
    names = [str(repository_models / name) for name in ("baseline_cnn", "deep_emotion")]
    images, scores = AugmentedViews(tmp_path, faces, RECIPE, names, seed=0).of_epoch(0)
    each = [
        EmotionRecognizer(load_model(repository_models / name)).recognize(images.numpy())
        for name in ("baseline_cnn", "deep_emotion")
    ]
    np.testing.assert_allclose(scores.numpy(), np.mean(each, axis=0), atol=1e-5)


def test_a_view_of_other_pictures_changes_or_seed_is_computed_again(faces, tmp_path):
    before = AugmentedViews(tmp_path, faces, RECIPE, (), seed=0).of_epoch(0)[0]
    mild = replace(RECIPE, augmentation=Augmentation(rotation_deg=1.0))
    for images, recipe, seed in ((faces.flip(0), RECIPE, 0), (faces, mild, 0), (faces, RECIPE, 1)):
        after = AugmentedViews(tmp_path, images, recipe, (), seed).of_epoch(0)[0]
        assert not torch.equal(after, before)


def test_a_checkpoint_is_refused_as_teacher(faces, tmp_path):
    with pytest.raises(ValueError, match="export it first"):
        AugmentedViews(tmp_path, faces, RECIPE, ["last.safetensors"], seed=0)
