# SPDX-License-Identifier: Apache-2.0
"""Build an ONNX graph node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

IR_VERSION: Final = 8  # ONNX Runtime 1.16 reads up to 9


class GraphBuilder:
    """Nodes and constants of a graph, under generated names."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []

    def add(self, op: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        """Append a node with one output and return the output's name."""
        output = output or f"{op.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))
        return output

    def constant(self, value: NDArray[Any]) -> str:
        """Store ``value`` and return its name."""
        name = f"weight_{len(self._initializers)}"
        tensor = numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape), name)
        self._initializers.append(tensor)
        return name

    def finish(
        self, name: str, image: onnx.ValueInfoProto, outputs: Mapping[str, int], opset: int
    ) -> bytes:
        """Return the serialised model, checked by ONNX.

        :param image: the input's name, type and shape.
        :param outputs: name and number of axes of each float output.
        """
        infos = [
            helper.make_tensor_value_info(output, TensorProto.FLOAT, [None] * axes)
            for output, axes in outputs.items()
        ]
        model = helper.make_model(
            helper.make_graph(self._nodes, name, [image], infos, self._initializers),
            opset_imports=[helper.make_opsetid("", opset)],
            ir_version=IR_VERSION,
        )
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString()
