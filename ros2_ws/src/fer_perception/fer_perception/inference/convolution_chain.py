# SPDX-License-Identifier: Apache-2.0
"""Finds the chain of 3 x 3 convolutions in a graph, where nearly all of its time goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OUTPUTS_MULTIPLE: Final = 16
"""A layer of a chain has a multiple of as many outputs: whole vectors of them are computed."""

# What each attribute must be, if it is there, of the nodes that the chain is made of.
_PLAIN: Final[dict[str, dict[str, Any]]] = {
    "Conv": {"pads": [1] * 4, "strides": [1] * 2, "dilations": [1] * 2, "group": 1},
    "MaxPool": {"kernel_shape": [2] * 2, "strides": [2] * 2, "pads": [0] * 4, "ceil_mode": 0},
}
_NEEDED: Final = {"Conv": {"pads"}, "MaxPool": {"kernel_shape", "strides"}}


@dataclass(frozen=True, eq=False)
class Convolution:
    """A 3 x 3 convolution, padded by one pixel, and the ReLU after it.

    :ivar kernel: outputs x inputs x 3 x 3.
    :ivar bias: of each output.
    :ivar pooled: whether the largest of 2 x 2 pixels follows.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    pooled: bool


@dataclass(frozen=True, eq=False)
class SplitGraph:
    """A graph cut into what comes before a chain of convolutions, the chain, and what follows.

    :ivar before: serialised ONNX model with the graph's input and one output.
    :ivar after: the same with one input and the graph's output.
    """

    before: bytes
    chain: list[Convolution]
    after: bytes


class _Graph:
    """A model with its constants and what reads each value."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.nodes = list(model.graph.node)
        self.constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        for node in self.nodes:  # weights are stored in half precision
            if node.op_type == "Cast" and node.input[0] in self.constants:
                half = self.constants[node.input[0]]
                self.constants[node.output[0]] = half.astype(np.float32)
        self._users: dict[str, list[onnx.NodeProto]] = {}
        for node in self.nodes:
            for name in node.input:
                self._users.setdefault(name, []).append(node)

    def next(self, value: str, op: str) -> onnx.NodeProto | None:
        """Return the node that alone reads ``value``, if it is an ``op`` that a chain can have."""
        users = self._users.get(value, [])
        if len(users) != 1 or users[0].op_type != op or users[0].input[0] != value:
            return None
        attributes = {a.name: helper.get_attribute_value(a) for a in users[0].attribute}
        plain = all(attributes.get(k, v) == v for k, v in _PLAIN.get(op, {}).items())
        return users[0] if plain and _NEEDED.get(op, set()) <= attributes.keys() else None

    def values(self, names: Sequence[str]) -> list[NDArray[Any]] | None:
        """Return the constants ``names``; None if one of them is none."""
        if not all(name in self.constants for name in names):
            return None
        return [self.constants[name] for name in names]

    def convolution(self, value: str) -> tuple[Convolution, str] | None:
        """Return the layer that reads ``value`` and the name of its output."""
        node = self.next(value, "Conv")
        weights = node and self.values(node.input[1:])
        if not node or not weights or weights[0].shape[2:] != (3, 3):
            return None
        kernel = weights[0].astype(np.float64)
        bias = weights[1].astype(np.float64) if weights[1:] else np.zeros(len(kernel))
        value = node.output[0]
        if node := self.next(value, "BatchNormalization"):
            statistics = self.values(node.input[1:])
            if not statistics:
                return None
            scale, offset, mean, variance = (s.astype(np.float64) for s in statistics)
            epsilon = {a.name: a.f for a in node.attribute}.get("epsilon", 1e-5)
            factor = scale / np.sqrt(variance + epsilon)
            kernel, bias = kernel * factor[:, None, None, None], (bias - mean) * factor + offset
            value = node.output[0]
        if not (node := self.next(value, "Relu")) or len(kernel) % OUTPUTS_MULTIPLE:
            return None
        value = node.output[0]
        if node := self.next(value, "MaxPool"):
            value = node.output[0]
        single = kernel.astype(np.float32), bias.astype(np.float32)
        return Convolution(*single, pooled=node is not None), value

    def chain(self, value: str) -> tuple[list[Convolution], str]:
        """Return the longest chain that begins at ``value``, and the name of its output."""
        layers = []
        while found := self.convolution(value):
            layer, value = found
            layers.append(layer)
        return layers, value

    def part(self, inputs: Mapping[str, onnx.ValueInfoProto], output: str) -> bytes:
        """Return the model that computes ``output`` from ``inputs``."""
        needed, nodes = {output}, []
        for node in reversed(self.nodes):
            if needed.intersection(node.output) and not inputs.keys() & set(node.output):
                needed.update(node.input)
                nodes.append(node)
        graph = helper.make_graph(
            nodes[::-1],
            "part",
            list(inputs.values()),
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            [tensor for tensor in self.model.graph.initializer if tensor.name in needed],
        )
        part = helper.make_model(
            graph, opset_imports=self.model.opset_import, ir_version=self.model.ir_version
        )
        return part.SerializeToString()


def split_at_convolutions(model: bytes) -> SplitGraph | None:
    """Return ``model``, with one input and one output, cut at its longest chain of convolutions.

    None when no two of them follow each other.
    """
    graph = _Graph(onnx.load_from_string(model))
    starts = [node.input[0] for node in graph.nodes if node.op_type == "Conv"]
    chains = [(start, *graph.chain(start)) for start in starts]
    start, layers, end = max(chains, key=lambda chain: len(chain[1]), default=("", [], ""))
    if len(layers) < 2:
        return None
    [whole_input], [whole_output] = graph.model.graph.input, graph.model.graph.output
    middle = helper.make_tensor_value_info(end, TensorProto.FLOAT, None)
    return SplitGraph(
        graph.part({whole_input.name: whole_input}, start),
        layers,
        graph.part({end: middle}, whole_output.name),
    )
