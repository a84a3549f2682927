# SPDX-License-Identifier: Apache-2.0
"""Writes a trained network as an ONNX graph from grey crops to logits.

PyTorch's own exporters do not know the shapes behind a spatial transformer and give ONNX Runtime
operators that it runs slowly, so each of our few modules is written down here in the operators
that it runs fastest. Whether the graph computes what the network does is measured, not assumed:
see :func:`largest_difference`.
"""

from __future__ import annotations

import logging
from functools import singledispatch
from typing import Final

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper
from torch import Tensor, nn

from fer_perception.inference.graph_builder import GraphBuilder
from fer_perception.recognition.alignment import CROP_SIZE_PX
from fer_perception.recognition.normalization import MIN_STD, grey_levels, normalize

from ..networks.deep_emotion import DeepEmotion
from ..networks.multiple_self_attention import MultipleSelfAttention
from ..networks.scalar_attention import NODES, chebyshev_angles, chebyshev_transform
from ..networks.spatial_transformer import LocalizationNetwork, SpatialTransformer
from ..networks.vgg_stn import VggStn

_LOG = logging.getLogger(__name__)

_OPSET: Final = 18

# Heads with a smaller factor are left out: they move the logits by less than float32 does.
_MIN_GAMMA: Final = 1e-4

TOLERANCE: Final = 1e-4
"""Largest difference of a logit that an exported graph may have from the network's."""


def build_onnx(network: nn.Module) -> bytes:
    """Return the serialised ONNX model of ``network``, in evaluation mode.

    Its input ``crops`` is N x 48 x 48, grey, uint8; its output ``logits`` N x classes. It
    normalises the crops itself. Weights are stored in half precision, as in the safetensors
    file, and used in single precision.

    :raises NotImplementedError: a module is of a kind that cannot be written.
    """
    graph = GraphBuilder()
    x = _emit(network, graph, _normalized(graph, "crops"))
    graph.add("Identity", [x], "logits")
    crops = helper.make_tensor_value_info(
        "crops", TensorProto.UINT8, ["N", CROP_SIZE_PX, CROP_SIZE_PX]
    )
    return graph.finish("recognizer", crops, ["logits"], _OPSET)


def torch_logits(network: nn.Module, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what ``network`` answers to ``crops``, N x 48 x 48."""
    with torch.inference_mode():
        return network(normalize(grey_levels(torch.from_numpy(crops)))).numpy()


def largest_difference(network: nn.Module, model: bytes, crops: NDArray[np.uint8]) -> float:
    """Return the largest difference of a logit between ``network`` and its ``model``."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    [logits] = session.run(None, {"crops": crops})
    return float(np.abs(logits - torch_logits(network, crops)).max())


def _normalized(graph: GraphBuilder, crops: str) -> str:
    """Write down :func:`~fer_perception.recognition.normalization.normalize`."""
    x = graph.add("Unsqueeze", [crops, _ints(graph, 1)])
    x = graph.add("Cast", [x], to=TensorProto.FLOAT)
    x = graph.add("Div", [x, graph.constant(np.array(255.0, np.float32))])
    axes = _ints(graph, 2, 3)
    centered = graph.add("Sub", [x, graph.add("ReduceMean", [x, axes], keepdims=1)])
    squared = graph.add("Mul", [centered, centered])
    std = graph.add("Sqrt", [graph.add("ReduceMean", [squared, axes], keepdims=1)])
    floor = graph.constant(np.array(MIN_STD, np.float32))
    return graph.add("Div", [centered, graph.add("Max", [std, floor])])


def _ints(graph: GraphBuilder, *values: int) -> str:
    return graph.constant(np.array(values, np.int64))


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.detach().float().numpy()


def _reshaped(graph: GraphBuilder, x: str, *shape: int) -> str:
    return graph.add("Reshape", [x, _ints(graph, *shape)])


@singledispatch
def _emit(module: nn.Module, graph: GraphBuilder, x: str) -> str:
    """Append ``module``, applied to ``x``, and return its output's name."""
    raise NotImplementedError(f"{type(module).__name__} cannot be written as ONNX: add it here")


@_emit.register
def _(module: nn.Sequential, graph: GraphBuilder, x: str) -> str:
    for part in module:
        x = _emit(part, graph, x)
    return x


@_emit.register(nn.Identity)
@_emit.register(nn.Dropout)
def _nothing(module: nn.Module, graph: GraphBuilder, x: str) -> str:
    return x


@_emit.register
def _(module: nn.AdaptiveAvgPool2d, graph: GraphBuilder, x: str) -> str:
    return x  # the identity for crops of 48 px; largest_difference() would show if it were not


@_emit.register
def _(module: nn.ReLU, graph: GraphBuilder, x: str) -> str:
    return graph.add("Relu", [x])


@_emit.register
def _(module: nn.Flatten, graph: GraphBuilder, x: str) -> str:
    return graph.add("Flatten", [x])


@_emit.register
def _(module: nn.MaxPool2d, graph: GraphBuilder, x: str) -> str:
    assert isinstance(module.kernel_size, int)
    return _max_pooled(graph, x, module.kernel_size)


def _max_pooled(graph: GraphBuilder, x: str, size: int) -> str:
    return graph.add("MaxPool", [x], kernel_shape=[size, size], strides=[size, size])


@_emit.register
def _(module: nn.Conv2d, graph: GraphBuilder, x: str) -> str:
    bias = [] if module.bias is None else [graph.half(_array(module.bias))]
    padding = [int(p) for p in module.padding]
    kernel = graph.half(_array(module.weight))
    return graph.add("Conv", [x, kernel, *bias], pads=padding * 2, group=module.groups)


@_emit.register
def _(module: nn.BatchNorm2d, graph: GraphBuilder, x: str) -> str:
    assert module.running_mean is not None and module.running_var is not None
    values = (module.weight, module.bias, module.running_mean, module.running_var)
    constants = [graph.half(_array(value)) for value in values]
    return graph.add("BatchNormalization", [x, *constants], epsilon=module.eps)


@_emit.register
def _(module: nn.Linear, graph: GraphBuilder, x: str) -> str:
    inputs = [x, graph.half(_array(module.weight)), graph.half(_array(module.bias))]
    return graph.add("Gemm", inputs, transB=1)


@_emit.register
def _(module: LocalizationNetwork, graph: GraphBuilder, x: str) -> str:
    x = _emit(module.attention, graph, _emit(module.conv1, graph, x))
    x = graph.add("Relu", [_max_pooled(graph, x, 2)])
    x = graph.add("Relu", [_max_pooled(graph, _emit(module.conv2, graph, x), 2)])
    x = graph.add("Relu", [_emit(module.hidden, graph, graph.add("Flatten", [x]))])
    return _reshaped(graph, _emit(module.theta, graph, x), -1, 2, 3)


@_emit.register
def _(module: SpatialTransformer, graph: GraphBuilder, x: str) -> str:
    theta = _emit(module.localization, graph, x)
    size = module.output_size_px
    centers = (2.0 * np.arange(size) + 1.0) / size - 1.0
    columns, rows = np.meshgrid(centers, centers)
    points = np.stack([columns, rows, np.ones_like(rows)], axis=-1).reshape(1, -1, 3)
    transposed = graph.add("Transpose", [theta], perm=[0, 2, 1])
    grid = graph.add("MatMul", [graph.constant(points.astype(np.float32)), transposed])
    grid = _reshaped(graph, grid, -1, size, size, 2)
    return graph.add("GridSample", [x, grid], mode="bilinear", align_corners=0)


@_emit.register
def _(module: MultipleSelfAttention, graph: GraphBuilder, x: str) -> str:
    gamma = _array(module.gamma)
    used = np.flatnonzero(np.abs(gamma) >= _MIN_GAMMA)
    if len(used) < module.heads:
        _LOG.info("%d of %d heads change nothing: left out", module.heads - len(used), len(gamma))
    if not len(used):
        return x
    height, width = (2 * side for side in module.pooled_size)
    inner, heads, channels = module.inner, len(used), module.f.in_channels
    rows = (used[:, None] * inner + np.arange(inner)).ravel()
    convs = (module.f, module.g, module.h)
    kernel = np.concatenate([_array(conv.weight)[rows] for conv in convs])
    biases = np.concatenate([_array(conv.bias)[rows] for conv in convs if conv.bias is not None])
    joined = graph.add("Conv", [x, graph.half(kernel), graph.half(biases)])
    # (N, 3 heads, inner, positions): the key is as MatMul wants it, the others are turned.
    joined = _reshaped(graph, joined, 0, 3 * heads, inner, height * width)
    key, query, value = graph.split(joined, [heads] * 3, axis=1)
    query, value = (graph.add("Transpose", [part], perm=[0, 1, 3, 2]) for part in (query, value))
    attend = _attended_by_scalars if inner == 1 else _attended
    attended = graph.add("Transpose", [attend(graph, query, key, value)], perm=[0, 1, 3, 2])
    scale = graph.add("Mul", [_head_weights(module, graph, x), graph.constant(gamma)])
    if heads < module.heads:
        scale = graph.add("Gather", [scale, _ints(graph, *used)], axis=1)
    scaled = graph.add("Mul", [attended, _reshaped(graph, scale, 0, heads, 1, 1)])
    scaled = _reshaped(graph, scaled, 0, heads * inner, height, width)
    assert module.v.bias is not None
    outputs = _array(module.v.weight).reshape(module.heads, channels, inner)[used]
    outputs = outputs.transpose(1, 0, 2).reshape(channels, -1, 1, 1)
    o = graph.add("Conv", [scaled, graph.half(outputs)])
    bias = _array(module.v.bias).reshape(module.heads, channels)[used]
    bias_sum = _reshaped(graph, graph.add("MatMul", [scale, graph.half(bias)]), 0, channels, 1, 1)
    return graph.add("Add", [graph.add("Add", [x, o]), bias_sum])


def _attended(graph: GraphBuilder, query: str, key: str, value: str) -> str:
    beta = graph.add("Softmax", [graph.add("MatMul", [query, key])], axis=-1)
    return graph.add("MatMul", [beta, value])


def _attended_by_scalars(graph: GraphBuilder, query: str, key: str, value: str) -> str:
    """Write down :func:`~fer_training.networks.scalar_attention.scalar_attention`."""

    def constant(value: float) -> str:
        return graph.constant(np.array(value, np.float32))

    axes = _ints(graph, 2)
    low = graph.add("ReduceMin", [query, axes], keepdims=1)
    high = graph.add("ReduceMax", [query, axes], keepdims=1)
    centre = graph.add("Mul", [graph.add("Add", [low, high]), constant(0.5)])
    half = graph.add("Mul", [graph.add("Sub", [high, low]), constant(0.5)])
    half = graph.add("Max", [half, constant(1e-6)])
    cosines = graph.constant(_array(chebyshev_angles().cos()[:, None]))
    nodes = graph.add("Add", [centre, graph.add("Mul", [half, cosines])])
    at_nodes = _attended(graph, nodes, key, value)
    coefficients = graph.split(
        graph.add("MatMul", [graph.constant(_array(chebyshev_transform())), at_nodes]),
        [1] * NODES,
        axis=2,
    )
    x = graph.add("Div", [graph.add("Sub", [query, centre]), half])
    twice_x = graph.add("Mul", [x, constant(2.0)])
    later, latest = constant(0.0), coefficients[-1]
    for order in range(NODES - 2, 0, -1):
        product = graph.add("Mul", [twice_x, latest])
        following = graph.add("Sub", [graph.add("Add", [coefficients[order], product]), later])
        later, latest = latest, following
    product = graph.add("Mul", [x, latest])
    return graph.add("Sub", [graph.add("Add", [coefficients[0], product]), later])


def _head_weights(module: MultipleSelfAttention, graph: GraphBuilder, x: str) -> str:
    pooled = _max_pooled(graph, _emit(module.weight_conv, graph, x), 2)
    raw = _emit(module.weight_fc, graph, graph.add("Flatten", [pooled]))
    raw = graph.add("Sigmoid", [raw])
    return graph.add("Div", [raw, graph.add("ReduceSum", [raw, _ints(graph, 1)], keepdims=1)])


@_emit.register
def _(module: VggStn, graph: GraphBuilder, x: str) -> str:
    x = _emit(module.first_stack, graph, _emit(module.transformer, graph, x))
    return _emit(
        module.head, graph, _emit(module.other_stacks, graph, _emit(module.attention, graph, x))
    )


@_emit.register
def _(module: DeepEmotion, graph: GraphBuilder, x: str) -> str:
    return _emit(module.classifier, graph, _emit(module.transformer, graph, x))
