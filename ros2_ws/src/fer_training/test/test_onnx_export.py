# SPDX-License-Identifier: Apache-2.0
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from fer_perception.recognition.model_store import load_model
from fer_perception.recognition.recognizer import EmotionRecognizer
from fer_training.exporting.onnx_export import (
    TOLERANCE,
    export_graphs,
    largest_difference,
    torch_logits,
)
from fer_training.exporting.quantization import quantized
from fer_training.learning.trained_network import in_half_precision, load_network
from fer_training.networks import NETWORKS, create_network
from fer_training.networks.multiple_self_attention import MultipleSelfAttention

_SETUP = "ros2_ws/src/fer_perception/setup.py"


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def _disturbed(network: nn.Module) -> nn.Module:
    """Move all weights and statistics from where an untrained network has them."""
    for parameter in network.parameters():
        parameter.data += 0.02 * torch.randn_like(parameter)
    for buffer in network.buffers():
        if buffer.is_floating_point():
            buffer += 0.1 * torch.rand_like(buffer)
    return in_half_precision(network.eval())


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("count", [1, 3])
def test_graph_computes_what_the_network_does(name, count, rng):
    network = _disturbed(create_network(name, 7))
    crops = rng.integers(0, 256, (count, 48, 48), np.uint8)
    assert np.ptp(torch_logits(network, crops)) > 100 * TOLERANCE
    assert largest_difference(network, export_graphs(network).whole, crops) < TOLERANCE


def test_attention_is_exported_with_each_of_its_heads(rng):
    attention = MultipleSelfAttention(16, (12, 12))
    layers = (nn.Conv2d(1, 16, 3, padding=1), nn.MaxPool2d(4), attention, nn.Flatten())
    network = _disturbed(nn.Sequential(*layers))
    attention.gamma.data = torch.tensor([0.5, 0.0, -0.3, 1e-6, 0.2, 0.0, 0.0, 0.9])
    crops = rng.integers(0, 256, (2, 48, 48), np.uint8)
    graph = export_graphs(network).whole
    assert largest_difference(network, graph, crops) < TOLERANCE
    attention.gamma.data[7] = 0.0
    assert largest_difference(network, graph, crops) > 10 * TOLERANCE


def test_graphs_are_for_the_oldest_onnx_runtime_that_is_declared(shipped_model):
    """ONNX Runtime 1.16 reads IR version 9 and operator set 19, and refuses unreleased sets."""
    for path in [*shipped_model.glob("*.onnx"), *(shipped_model.parent / "mtcnn").glob("*.onnx")]:
        model = onnx.load(str(path))
        assert model.ir_version <= 9
        assert [(entry.domain, entry.version <= 19) for entry in model.opset_import] == [
            ("", True)
        ], path
    assert "onnxruntime>=1.16" in (shipped_model.parents[1] / _SETUP).read_text()


def test_rounded_graph_answers_nearly_the_same_and_does_compute_in_8_bits(rng):
    network = _disturbed(create_network("vgg_stn", 7))
    crops = rng.integers(0, 256, (8, 48, 48), np.uint8)
    rounded = quantized(export_graphs(network).whole, crops)
    assert rounded.count(b"QuantizeLinear") > 20
    session = onnxruntime.InferenceSession(rounded)
    logits = torch_logits(network, crops)
    difference = np.abs(session.run(None, {"crops": crops})[0] - logits).max()
    assert 0.0 < difference < 0.1 * np.ptp(logits)


def test_network_of_few_channels_is_not_rounded(rng):
    network = _disturbed(create_network("baseline_cnn", 7))
    assert (
        quantized(export_graphs(network).whole, rng.integers(0, 256, (2, 48, 48), np.uint8))
        is None
    )


def test_shipped_graphs_answer_as_the_shipped_weights_do(shipped_model, fer2013):
    faces = fer2013.images[fer2013.rows(1)][:200]
    network = load_network(shipped_model).network
    model = load_model(shipped_model)
    assert largest_difference(network, model.graph, faces) < TOLERANCE
    if "int8" in model.config.graph_sha256:
        predicted = [
            EmotionRecognizer(m).recognize(faces).argmax(axis=1)
            for m in (model, load_model(shipped_model, "int8"))
        ]
        assert (predicted[0] == predicted[1]).mean() >= 0.97
