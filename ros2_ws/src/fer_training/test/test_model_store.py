# SPDX-License-Identifier: Apache-2.0
import hashlib
import json

import numpy as np
import pytest
import torch

from fer_perception.emotions import EMOTIONS
from fer_perception.inference.model_files import ModelError
from fer_perception.recognition.installed_models import find_model
from fer_perception.recognition.model_store import load_model, write_model
from fer_perception.recognition.recognizer import EmotionRecognizer
from fer_training.exporting.onnx_export import export_graphs, torch_logits
from fer_training.learning.trained_network import (
    in_half_precision,
    load_network,
    weights_file,
)
from fer_training.networks import create_network


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    network = in_half_precision(create_network("baseline_cnn", len(EMOTIONS)).eval())
    graphs = {"float32": export_graphs(network).whole}
    write_model(tmp_path / "small", "baseline_cnn", 1.5, weights_file(network), graphs)
    return tmp_path / "small"


def _change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_written_model_is_read_back(folder, rng):
    torch.manual_seed(0)
    network = in_half_precision(create_network("baseline_cnn", len(EMOTIONS)).eval())
    crops = rng.integers(0, 256, (5, 48, 48), np.uint8)
    trained = load_network(folder)
    assert not trained.network.training
    logits = torch_logits(network, crops)
    np.testing.assert_array_equal(torch_logits(trained.network, crops), logits)
    model = load_model(folder)
    assert model.model_id == f"small@{model.config.sha256[:8]}"
    scores = EmotionRecognizer(model).recognize(crops)
    expected = torch.softmax(torch.from_numpy(logits) / 1.5, dim=1)
    np.testing.assert_allclose(scores, expected, atol=1e-5)


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


def test_adjusted_scores_are_those_of_the_other_shares_by_bayes_rule(folder, rng):
    shares = np.array([0.4, 0.3, 0.1, 0.1, 0.06, 0.01, 0.03])
    crops = rng.integers(0, 256, (3, 48, 48), np.uint8)
    plain = EmotionRecognizer(load_model(folder)).recognize(crops, prior_adjustment=1.0)
    _change_config(folder, class_shares=shares.tolist())
    recognizer = EmotionRecognizer(load_model(folder))
    scores = recognizer.recognize(crops)
    np.testing.assert_allclose(plain, scores, atol=1e-6)  # a model without shares
    expected = scores / shares**0.3
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(recognizer.recognize(crops, 0.3), expected, atol=1e-6)


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.4, 0.3, 0.1, 0.1, 0.1, 0.0, 0.0], [1.0] * 7])
def test_impossible_class_shares_are_refused(folder, shares):
    _change_config(folder, class_shares=shares)
    with pytest.raises(ModelError, match="class_shares"):
        load_model(folder)


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


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "model.onnx"])
def test_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(ModelError, match=file):
        load_model(folder)


@pytest.mark.parametrize("file", ["model.safetensors", "model.onnx"])
@pytest.mark.parametrize("damage", ["truncated", "one byte"])
def test_altered_weights_are_refused(folder, damage, file):
    path = folder / file
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


@pytest.fixture
def split_folder(tmp_path):
    """A model whose convolutions run natively."""
    torch.manual_seed(0)
    network = create_network("vgg_stn", len(EMOTIONS)).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data += torch.rand_like(module.weight)
            module.running_var += torch.rand_like(module.running_var)
    in_half_precision(network)
    exported = export_graphs(network)
    graphs, weights = {"float32": exported.whole}, weights_file(network)
    write_model(tmp_path / "split", "vgg_stn", 1.0, weights, graphs, exported.split)
    return tmp_path / "split"


@pytest.mark.parametrize("file", ["model_before.onnx", "model_after.onnx"])
def test_missing_or_altered_parts_of_a_graph_are_refused(split_folder, file):
    path = split_folder / file
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(ModelError, match=f"{file} is damaged or was altered"):
        load_model(split_folder)
    path.unlink()
    with pytest.raises(ModelError, match=f"cannot read .*{file}"):
        load_model(split_folder)


def test_convolutions_are_those_of_the_weights(split_folder):
    network = load_network(split_folder).network
    first = load_model(split_folder).split.convolutions()[0]
    convolution, normalization = network.first_stack[0], network.first_stack[1]
    factor = normalization.weight / (normalization.running_var + normalization.eps).sqrt()
    expected = convolution.weight * factor[:, None, None, None]
    np.testing.assert_allclose(first.kernel, expected.detach().numpy(), rtol=1e-6)
    assert not first.pooled


def test_a_convolution_that_the_weights_lack_is_refused(split_folder):
    config = json.loads((split_folder / "config.json").read_text())
    config["split"]["convolutions"][1]["weight"] = "nowhere.weight"
    (split_folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"nowhere\.weight"):
        load_model(split_folder).split.convolutions()


def test_parts_of_the_model_before_are_not_left_behind(split_folder):
    network = create_network("baseline_cnn", len(EMOTIONS)).eval()
    graphs = {"float32": export_graphs(network).whole}
    write_model(split_folder, "baseline_cnn", 1.0, weights_file(network), graphs)
    assert not list(split_folder.glob("model_*.onnx"))
    assert load_model(split_folder).split is None


@pytest.mark.parametrize("split", [[], {"before_sha256": ""}, {"convolutions": 3}, "x"])
def test_nonsense_about_the_parts_is_refused(folder, split):
    _change_config(folder, split=split)
    with pytest.raises(ModelError, match=r"config\.json"):
        load_model(folder)


@pytest.mark.parametrize(
    ("network", "reason"),
    [("deep_emotion", "do not fit network deep_emotion"), ("nonsense", "unknown network")],
)
def test_weights_of_another_network_are_refused(folder, network, reason):
    _change_config(folder, network=network)
    with pytest.raises(ModelError, match=reason):
        load_network(folder)


@pytest.mark.parametrize(
    "changes",
    [{"temperature": 0}, {"temperature": "hot"}, {"graph_sha256": 1}, {"graph_sha256": {"x": ""}}],
)
def test_nonsense_in_the_config_is_refused(folder, changes):
    _change_config(folder, **changes)
    with pytest.raises(ModelError, match=r"config\.json"):
        load_model(folder)


def test_classes_that_are_no_texts_are_refused(folder):
    _change_config(folder, classes=[{}, 7])
    with pytest.raises(ModelError, match="2 classes"):
        load_model(folder)


@pytest.mark.parametrize(
    "graph", [b"", b"no protobuf", export_graphs(create_network("baseline_cnn", 3).eval()).whole]
)
def test_a_graph_that_cannot_be_run_is_refused_though_its_hash_is_right(folder, graph):
    (folder / "model.onnx").write_bytes(graph)
    _change_config(folder, graph_sha256={"float32": hashlib.sha256(graph).hexdigest()})
    with pytest.raises(ModelError, match="the graph of small@") as refused:
        EmotionRecognizer(load_model(folder))
    assert "\n" not in str(refused.value)


def test_a_precision_that_the_model_lacks_is_said_with_those_that_it_has(folder):
    with pytest.raises(ModelError, match="no int8 graph, only float32"):
        load_model(folder, "int8")


def test_a_model_of_weights_alone_can_be_trained_from_but_not_run(folder):
    _change_config(folder, graph_sha256={})
    assert load_network(folder).name == "baseline_cnn"
    with pytest.raises(ModelError, match="export it again"):
        load_model(folder)


def test_a_graph_of_the_model_before_is_not_left_behind(folder):
    stale = folder / "model_int8.onnx"
    stale.write_bytes(b"of another model")
    network = create_network("baseline_cnn", len(EMOTIONS)).eval()
    graphs = {"float32": export_graphs(network).whole}
    write_model(folder, "baseline_cnn", 1.0, weights_file(network), graphs)
    assert not stale.exists()


def test_config_that_is_no_json_is_refused(folder):
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match="not valid JSON"):
        load_model(folder)


def test_models_are_found_by_name_or_path_and_the_known_ones_named(folder):
    assert find_model("small", [folder.parent]) == folder
    assert find_model(str(folder), []) == folder
    with pytest.raises(ModelError, match="expected small"):
        find_model("large", [folder.parent])


def test_every_error_is_one_line(folder):
    for change in ({"graph_sha256": {"float32": "0"}}, {"classes": ["a"]}, {"sha256": "0"}):
        _change_config(folder, **change)
        with pytest.raises(ModelError) as error:
            load_model(folder)
        assert "\n" not in str(error.value)
