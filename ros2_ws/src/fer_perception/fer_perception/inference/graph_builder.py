# SPDX-License-Identifier: Apache-2.0
"""Puts an ONNX graph together node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

IR_VERSION: Final = 10  # the one of the oldest ONNX Runtime that knows the operators used here


class GraphBuilder:
    """Collects nodes and constants under names of its own."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []

    def add(self, op: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        """Append a node with one output and return the output's name."""
        output = output or f"{op.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))
        return output

    def split(self, x: str, sizes: Sequence[int], axis: int) -> list[str]:
        """Cut ``x`` along ``axis`` into parts of ``sizes`` and return their names."""
        outputs = [f"split_{len(self._nodes)}_{i}" for i in range(len(sizes))]
        inputs = [x, self.constant(np.array(sizes, np.int64))]
        self._nodes.append(helper.make_node("Split", inputs, outputs, axis=axis))
        return outputs

    def constant(self, value: NDArray[Any]) -> str:
        """Store ``value`` and return its name."""
        name = f"weight_{len(self._initializers)}"
        tensor = numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape), name)
        self._initializers.append(tensor)
        return name

    def half(self, value: NDArray[np.floating]) -> str:
        """Store ``value`` in half precision, half as large, and return its float32 copy's name.

        ONNX Runtime makes the copy once, when the model is loaded.
        """
        return self.add("Cast", [self.constant(value.astype(np.float16))], to=TensorProto.FLOAT)

    def finish(
        self, name: str, image: onnx.ValueInfoProto, outputs: Sequence[str], opset: int
    ) -> bytes:
        """Return the serialised model.

        :param image: the input's name, type and shape.
        :param outputs: names of the float outputs.
        """
        infos = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs]
        model = helper.make_model(
            helper.make_graph(self._nodes, name, [image], infos, self._initializers),
            opset_imports=[helper.make_opsetid("", opset)],
            ir_version=IR_VERSION,
        )
        return model.SerializeToString()
