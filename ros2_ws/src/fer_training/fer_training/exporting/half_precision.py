# SPDX-License-Identifier: Apache-2.0
"""Store a graph's weights in half precision."""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx

# Minimum size that justifies a node.
_MIN_SIZE: Final = 1024


def with_half_precision(model: onnx.ModelProto, exact: bool = True) -> onnx.ModelProto:
    """Return a copy of ``model`` with its float32 weights in half precision.

    ONNX Runtime converts them to float32 once, when it loads the model.

    :param exact: keep weights that half precision does not represent exactly.
    """
    stored = onnx.ModelProto()
    stored.CopyFrom(model)
    for tensor in list(stored.graph.initializer):
        value = onnx.numpy_helper.to_array(tensor)
        if value.dtype != np.float32 or value.size < _MIN_SIZE:
            continue
        half = value.astype(np.float16)
        if exact and not np.array_equal(half.astype(np.float32), value):
            continue
        name = f"{tensor.name}_half"
        stored.graph.initializer.remove(tensor)
        stored.graph.initializer.append(onnx.numpy_helper.from_array(half, name))
        cast = onnx.helper.make_node(
            "Cast", [name], [tensor.name], name=f"{name}_cast", to=onnx.TensorProto.FLOAT
        )
        stored.graph.node.insert(0, cast)
    return stored
