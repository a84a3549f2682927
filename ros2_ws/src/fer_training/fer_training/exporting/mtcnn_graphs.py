# SPDX-License-Identifier: Apache-2.0
"""Build ONNX graphs of MTCNN's networks with RGB bytes as input.

They are built by hand, without a PyTorch network to export; PReLU, which is slow in ONNX Runtime,
is replaced by cheap operators with equal results.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from onnx import TensorProto, helper

from fer_perception.detection.mtcnn_weights import Layer, NetworkWeights, Weights

from .graph_builder import GraphBuilder

_OPSET: Final = 13

# Kernel size of the max-pool after each convolution, 0 for none.
_POOLS: Final = {"pnet": (2, 0, 0), "rnet": (3, 3, 0), "onet": (3, 3, 2, 0)}
# Max-pools whose last window may be incomplete; the others drop it.
_PADDED_POOLS: Final = {("pnet", 0), ("rnet", 0), ("onet", 0), ("onet", 2)}


def _prelu(graph: GraphBuilder, x: str, slope: Weights) -> str:
    scaled = graph.add("Mul", [x, graph.constant(slope)])
    if (slope <= 1.0).all():
        return graph.add("Max", [x, scaled])  # as a x <= x exactly where x >= 0
    negative = graph.add("Min", [x, graph.constant(np.zeros((), np.float32))])
    negative = graph.add("Mul", [negative, graph.constant(slope)])
    return graph.add("Add", [graph.add("Relu", [x]), negative])


def _convolution(graph: GraphBuilder, x: str, layer: Layer, output: str = "") -> str:
    weights = [graph.constant(layer.kernel), graph.constant(layer.bias)]
    if layer.slopes is None:
        return graph.add("Conv", [x, *weights], output)
    return _prelu(graph, graph.add("Conv", [x, *weights], output), layer.slopes[:, None, None])


def _fully_connected(graph: GraphBuilder, x: str, layer: Layer, output: str = "") -> str:
    kernel = layer.kernel[:, :, 0, 0]
    weights = [graph.constant(kernel), graph.constant(layer.bias)]
    x = graph.add("Gemm", [x, *weights], output, transB=1)
    return x if layer.slopes is None else _prelu(graph, x, layer.slopes)


def build_graph(network: str, weights: NetworkWeights) -> bytes:
    """Return the serialised ONNX model of "pnet", "rnet" or "onet".

    :func:`~fer_perception.detection.mtcnn_weights.load_graph` describes its input and outputs.
    """
    graph = GraphBuilder()
    x = graph.add("Cast", ["image"], to=TensorProto.FLOAT)
    x = graph.add("Transpose", [x], perm=[0, 3, 1, 2])
    for index, layer in enumerate(weights.convolutions):
        x = _convolution(graph, x, layer)
        if pool := _POOLS[network][index]:
            padded = (network, index) in _PADDED_POOLS
            x = graph.add(
                "MaxPool",
                [x],
                kernel_shape=[pool, pool],
                strides=[2, 2],
                auto_pad="SAME_UPPER" if padded else "VALID",
            )
    append = _convolution
    if weights.dense is not None:
        x = _fully_connected(graph, graph.add("Flatten", [x]), weights.dense)
        append = _fully_connected
    for output, layer in weights.heads.items():
        raw = append(graph, x, layer, f"{output}_logits" if output == "probability" else output)
        if output == "probability":
            softmax = graph.add("Softmax", [raw], axis=1)
            graph.add("Gather", [softmax, graph.constant(np.array([1]))], output, axis=1)
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", "H", "W", 3])
    axes = 4 if weights.dense is None else 2
    return graph.finish(network, image, dict.fromkeys(weights.heads, axes), _OPSET)
