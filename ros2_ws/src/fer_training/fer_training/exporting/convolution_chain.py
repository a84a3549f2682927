# SPDX-License-Identifier: Apache-2.0
"""Split a graph around its chain of 3 x 3 convolutions."""

from __future__ import annotations

from typing import Any, Final

import onnx
from onnx import TensorProto, helper
from onnx.utils import Extractor

from fer_perception.inference.native_convolutions import OUTPUTS_MULTIPLE
from fer_perception.recognition.model_config import ConvolutionNames

# Required values of existing attributes of the nodes in a chain.
_PLAIN: Final[dict[str, dict[str, Any]]] = {
    "Conv": {"pads": [1] * 4, "strides": [1] * 2, "dilations": [1] * 2, "group": 1},
    "MaxPool": {
        "kernel_shape": [2] * 2,
        "strides": [2] * 2,
        "pads": [0] * 4,
        "dilations": [1] * 2,
        "ceil_mode": 0,
    },
}
_NEEDED: Final = {"Conv": {"pads"}, "MaxPool": {"kernel_shape", "strides"}}


class _Graph:
    """A model's nodes by their inputs, and the shapes of its constants."""

    def __init__(self, graph: onnx.GraphProto, prefix: str) -> None:
        self._prefix = prefix
        self._shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
        # Equal constants are stored once, behind an Identity.
        self._names = {name: name for name in self._shapes}
        self._users: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            if node.op_type == "Identity" and node.input[0] in self._names:
                self._names[node.output[0]] = self._names[node.input[0]]
            for name in node.input:
                self._users.setdefault(name, []).append(node)

    def next(self, value: str, op: str) -> onnx.NodeProto | None:
        """Return the only reader of ``value``, if it fits a chain."""
        users = self._users.get(value, [])
        if len(users) != 1 or users[0].op_type != op or users[0].input[0] != value:
            return None
        attributes = {a.name: helper.get_attribute_value(a) for a in users[0].attribute}
        plain = all(attributes.get(k, v) == v for k, v in _PLAIN.get(op, {}).items())
        return users[0] if plain and _NEEDED.get(op, set()) <= attributes.keys() else None

    def weights(self, node: onnx.NodeProto) -> list[str] | None:
        """Return the network's names of a node's weights; None if computed."""
        names = [self._names.get(name, "") for name in node.input[1:]]
        if not all(name.startswith(self._prefix) for name in names):
            return None
        return [name.removeprefix(self._prefix) for name in names]

    def layer(self, value: str) -> tuple[ConvolutionNames, str] | None:
        """Return the layer with input ``value`` and the name of its output."""
        node = self.next(value, "Conv")
        weights = node and self.weights(node)
        if not node or not weights:
            return None
        outputs, _, *size = self._shapes[self._prefix + weights[0]]
        if size != [3, 3] or outputs % OUTPUTS_MULTIPLE:
            return None
        value, epsilon = node.output[0], 0.0
        normalization: tuple[str, ...] = ()
        if node := self.next(value, "BatchNormalization"):
            names = self.weights(node)
            if not names:
                return None
            normalization = tuple(names)
            epsilon = {a.name: a.f for a in node.attribute}.get("epsilon", 1e-5)
            value = node.output[0]
        if not (node := self.next(value, "Relu")):
            return None
        value = node.output[0]
        if node := self.next(value, "MaxPool"):
            value = node.output[0]
        bias = weights[1] if weights[1:] else ""
        layer = ConvolutionNames(weights[0], bias, normalization, epsilon, node is not None)
        return layer, value

    def chain(self, value: str) -> tuple[list[ConvolutionNames], str]:
        """Return the longest chain from ``value`` and its output's name."""
        layers = []
        while found := self.layer(value):
            layer, value = found
            layers.append(layer)
        return layers, value


def split_at_convolutions(
    model: onnx.ModelProto, prefix: str
) -> tuple[onnx.ModelProto, tuple[ConvolutionNames, ...], onnx.ModelProto] | None:
    """Split ``model`` around its longest chain of convolutions.

    :param model: with one input and one output.
    :param prefix: of the initialisers' names before the names of the network's weights.
    :returns: the part before the chain, the chain, and the part after it; None without two
        consecutive convolutions.
    """
    graph = _Graph(model.graph, prefix)
    starts = [node.input[0] for node in model.graph.node if node.op_type == "Conv"]
    chains = [(start, *graph.chain(start)) for start in starts]
    start, layers, end = max(chains, key=lambda chain: len(chain[1]), default=("", [], ""))
    if len(layers) < 2:
        return None
    [whole_input], [whole_output] = model.graph.input, model.graph.output
    # ONNX's extractor requires the type of the values at the split.
    typed = onnx.ModelProto()
    typed.CopyFrom(model)
    known = {info.name for info in [*model.graph.value_info, *model.graph.output]}
    typed.graph.value_info.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", None, None, None])
        for name in (start, end)
        if name not in known and name != whole_input.name
    )
    extractor = Extractor(typed)
    return (
        extractor.extract_model([whole_input.name], [start]),
        tuple(layers),
        extractor.extract_model([end], [whole_output.name]),
    )
