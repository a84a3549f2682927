# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from torch import nn

from fer_perception.emotions import EMOTIONS
from fer_perception.inference import native_library
from fer_perception.inference.native_convolutions import Convolution, NativeConvolutions
from fer_perception.inference.native_library import INSTRUCTION_SETS
from fer_perception.recognition.model_config import ModelConfig
from fer_perception.recognition.model_store import Model
from fer_perception.recognition.network import open_network
from fer_training.exporting.onnx_export import TOLERANCE, export_graphs, torch_logits
from fer_training.learning.trained_network import in_half_precision
from fer_training.networks import create_network

pytestmark = pytest.mark.skipif(
    not native_library.is_built(),
    reason="built without a C++ compiler: the native convolutions were not checked",
)


def _available_instruction_sets():
    if not native_library.is_built():
        return []
    best = native_library.instruction_set()
    return INSTRUCTION_SETS[: INSTRUCTION_SETS.index(best) + 1]


def _layer(rng, inputs, outputs, pooled=False):
    kernel = rng.normal(0, (9 * inputs) ** -0.5, (outputs, inputs, 3, 3))
    bias = rng.normal(0, 0.3, outputs)
    return Convolution(kernel.astype(np.float32), bias.astype(np.float32), pooled)


def _by_torch(layers, maps):
    x = torch.from_numpy(maps)
    for layer in layers:
        weights = torch.from_numpy(layer.kernel), torch.from_numpy(layer.bias)
        x = torch.relu(nn.functional.conv2d(x, *weights, padding=1))
        x = nn.functional.max_pool2d(x, 2) if layer.pooled else x
    return x.numpy()


@pytest.mark.parametrize("instructions", _available_instruction_sets())
@pytest.mark.parametrize(("height", "width"), [(48, 48), (13, 22), (6, 5), (3, 2)])
@pytest.mark.parametrize(("count", "threads"), [(1, 1), (1, 3), (9, 2), (19, 1), (19, 3)])
def test_they_compute_what_torch_does(instructions, height, width, count, threads, rng):
    layers = [_layer(rng, 3, 48), _layer(rng, 48, 16, pooled=True), _layer(rng, 16, 80)]
    maps = rng.normal(0, 1, (count, 3, height, width)).astype(np.float32)
    chain = NativeConvolutions(layers, height, width, threads, instructions)
    expected = _by_torch(layers, maps)
    np.testing.assert_allclose(chain.run(maps), expected, atol=2e-5)
    # Nothing is left of the maps before: the same again, alone.
    np.testing.assert_array_equal(chain.run(maps[-1:]), chain.run(maps)[-1:])


def test_layers_and_maps_that_do_not_fit_are_refused(rng):
    with pytest.raises(ValueError, match="fit"):
        NativeConvolutions([_layer(rng, 1, 16), _layer(rng, 32, 16)], 8, 8)
    layer = _layer(rng, 1, 16)
    with pytest.raises(ValueError, match="one bias"):
        NativeConvolutions([Convolution(layer.kernel, layer.bias[:1], pooled=False)], 8, 8)
    with pytest.raises(ValueError, match="multiple"):
        NativeConvolutions([_layer(rng, 1, 24)], 8, 8)
    with pytest.raises(ValueError, match="too few"):
        NativeConvolutions([_layer(rng, 1, 16, pooled=True)], 1, 8)
    chain = NativeConvolutions([_layer(rng, 1, 16)], 8, 8)
    with pytest.raises(ValueError, match="expected"):
        chain.run(np.zeros((1, 1, 8, 9), np.float32))


def _untrained(network):
    """Move the batch normalisation from the identity, and keep signals from fading."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data += torch.rand_like(module.weight)
            module.running_mean += 0.2 * torch.rand_like(module.running_mean) - 0.1
            module.running_var *= 0.2 + 0.2 * torch.rand_like(module.running_var)
    return in_half_precision(network.eval())


def _model(network):
    exported = export_graphs(network)
    config = ModelConfig("test", EMOTIONS, 1.0, "", {})
    return Model(exported.whole, config, "test", exported.split)


@pytest.mark.parametrize(("name", "convolutions"), [("vgg_stn", 8), ("baseline_cnn", 0)])
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_network_answers_the_same_however_it_is_run(name, convolutions, threads, rng):
    network = _untrained(create_network(name, 7))
    model = _model(network)
    assert len(model.split.layers if model.split else []) == convolutions
    crops = rng.integers(0, 256, (3, 48, 48), np.uint8)
    expected = torch_logits(network, crops)
    assert np.ptp(expected, axis=0).max() > 10 * TOLERANCE
    logits = open_network(model, threads).run(crops)
    np.testing.assert_allclose(logits, expected, atol=TOLERANCE)


@pytest.mark.parametrize(
    "second",
    [
        nn.Conv2d(16, 16, 3, padding=0),
        nn.Conv2d(16, 16, 5, padding=1),
        nn.Conv2d(16, 16, 3, padding=1, groups=2),
        nn.Conv2d(16, 24, 3, padding=1),
    ],
    ids=["unpadded", "5 x 5", "grouped", "24 outputs"],
)
def test_only_convolutions_that_it_can_do_belong_to_the_chain(second, rng):
    plain = nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU()
    network = _untrained(nn.Sequential(*plain, second, nn.ReLU(), nn.MaxPool2d(3), nn.Flatten()))
    model = _model(network)
    assert model.split is not None
    assert len(model.split.layers) == 2
    crops = rng.integers(0, 256, (2, 48, 48), np.uint8)
    np.testing.assert_allclose(
        open_network(model, 1).run(crops), torch_logits(network, crops), atol=TOLERANCE
    )
