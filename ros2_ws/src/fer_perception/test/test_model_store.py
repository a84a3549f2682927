# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
import torch

from fer_perception.emotions import EMOTIONS
from fer_perception.model_store import ModelError, find_model, load_model, save_model
from fer_perception.networks import create_network
from fer_perception.recognition import EmotionRecognizer


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    network = create_network("baseline_cnn", len(EMOTIONS))
    save_model(tmp_path / "small", network, "baseline_cnn", temperature=1.5)
    return tmp_path / "small"


def _change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_saved_model_answers_as_the_network_did(folder):
    torch.manual_seed(0)
    network = create_network("baseline_cnn", len(EMOTIONS)).eval()
    model = load_model(folder)
    faces = torch.randn(5, 1, 48, 48)
    torch.testing.assert_close(model.network(faces), network(faces), atol=2e-3, rtol=0)
    assert model.model_id == f"small@{model.config.sha256[:8]}"
    assert not model.network.training


def test_scores_are_a_distribution_and_do_not_depend_on_the_batch(folder, rng):
    recognizer = EmotionRecognizer(load_model(folder))
    crops = rng.integers(0, 256, (4, 48, 48), np.uint8)
    scores = recognizer.recognize(crops)
    assert scores.shape == (4, 7) and scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-5)
    alone = np.concatenate([recognizer.recognize(crop[None]) for crop in crops])
    np.testing.assert_allclose(scores, alone, atol=1e-5)
    assert recognizer.recognize(crops[:0]).shape == (0, 7)


def test_scores_do_not_depend_on_exposure(folder, rng):
    recognizer = EmotionRecognizer(load_model(folder))
    dark = rng.integers(20, 100, (1, 48, 48), np.uint8)
    np.testing.assert_allclose(
        recognizer.recognize(dark), recognizer.recognize(2 * dark + 10), atol=1e-3
    )


def test_flip_average_makes_mirror_images_equal(folder, rng):
    recognizer = EmotionRecognizer(load_model(folder), flip_average=True)
    crops = rng.integers(0, 256, (2, 48, 48), np.uint8)
    mirrored = np.ascontiguousarray(crops[:, :, ::-1])
    np.testing.assert_allclose(
        recognizer.recognize(crops), recognizer.recognize(mirrored), atol=1e-5
    )


def test_crops_without_contrast_give_finite_scores(folder):
    flat = np.stack([np.full((48, 48), grey, np.uint8) for grey in (0, 127, 255)])
    assert np.isfinite(EmotionRecognizer(load_model(folder)).recognize(flat)).all()


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(ModelError, match=file):
        load_model(folder)


@pytest.mark.parametrize("damage", ["truncated", "one byte"])
def test_altered_weights_are_refused(folder, damage):
    path = folder / "model.safetensors"
    blob = bytearray(path.read_bytes())
    if damage == "truncated":
        blob = blob[: len(blob) // 2]
    else:
        blob[-100] ^= 1
    path.write_bytes(blob)
    with pytest.raises(ModelError, match="damaged or was altered"):
        load_model(folder)


def test_wrong_classes_are_refused_with_both_lists(folder):
    _change_config(folder, classes=[*EMOTIONS, "contempt"])
    with pytest.raises(ModelError, match=r"8 classes .*contempt.* are not the 7 expected"):
        load_model(folder)


def test_weights_of_another_network_are_refused(folder):
    _change_config(folder, network="deep_emotion")
    with pytest.raises(ModelError, match="does not fit network deep_emotion"):
        load_model(folder)


@pytest.mark.parametrize(
    "changes", [{"network": "nonsense"}, {"temperature": 0}, {"temperature": "hot"}]
)
def test_nonsense_in_the_config_is_refused(folder, changes):
    _change_config(folder, **changes)
    with pytest.raises(ModelError, match=r"config\.json"):
        load_model(folder)


def test_config_that_is_no_json_is_refused(folder):
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match="no JSON"):
        load_model(folder)


def test_models_are_found_by_name_or_path_and_the_known_ones_named(folder):
    assert find_model("small", [folder.parent]) == folder
    assert find_model(str(folder), []) == folder
    with pytest.raises(ModelError, match="expected small"):
        find_model("large", [folder.parent])


def test_every_error_is_one_line(folder):
    for change in ({"network": "deep_emotion"}, {"classes": ["a"]}, {"sha256": "0"}):
        _change_config(folder, **change)
        with pytest.raises(ModelError) as error:
            load_model(folder)
        assert "\n" not in str(error.value)
