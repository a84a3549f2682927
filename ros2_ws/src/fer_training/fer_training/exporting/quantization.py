# SPDX-License-Identifier: Apache-2.0
"""Quantise the large convolutions of an exported graph to 8-bit integers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from .half_precision import with_half_precision

# Convolutions of fewer channels cost little time, and rounding would cost accuracy in the first
# layer and the spatial transformer.
_MIN_CHANNELS: Final = 32


class _Crops(CalibrationDataReader):
    """Crops one by one, for ONNX Runtime's calibration."""

    def __init__(self, crops: NDArray[np.uint8]) -> None:
        self._batches: Iterator[dict[str, Any]] = ({"crops": crop[None]} for crop in crops)

    def get_next(self) -> dict[str, Any] | None:
        return next(self._batches, None)


def quantized(graph: bytes, crops: NDArray[np.uint8]) -> bytes | None:
    """Quantise the large convolutions of ``graph``; None without any.

    Weights are rounded per output channel; the range of each map holds 99.999 % of its values
    over ``crops``.

    :param graph: from :func:`~.onnx_export.export_graphs`.
    :param crops: N x 48 x 48, of training pictures.
    """
    # ONNX Runtime's quantisation works on files and logs to the root logger.
    with TemporaryDirectory() as folder:
        folded, rounded = Path(folder, "folded.onnx"), Path(folder, "rounded.onnx")
        options = onnxruntime.SessionOptions()
        # Batch normalisation is folded into the weights before rounding.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(folded)
        onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        model = onnx.load(str(folded)).graph
        shapes = {tensor.name: tensor.dims for tensor in model.initializer}
        large = [
            node.name
            for node in model.node
            # The attention's last weights are computed and have few channels.
            if node.op_type == "Conv" and shapes.get(node.input[1], (0, 0))[1] >= _MIN_CHANNELS
        ]
        if not large:
            return None
        # The pools before the first large convolution are the spatial transformer's.
        start = [node.name for node in model.node].index(large[0])
        pools = [node.name for node in model.node[start:] if node.op_type == "MaxPool"]
        level = logging.root.level
        logging.root.setLevel(logging.ERROR)
        try:
            quantize_static(
                folded,
                rounded,
                _Crops(crops),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                calibrate_method=CalibrationMethod.Percentile,
                nodes_to_quantize=large + pools,
            )
        finally:
            logging.root.setLevel(level)
        quantised = with_half_precision(onnx.load(str(rounded)), exact=False)
        # ONNX Runtime declares its newest operator sets on optimised graphs, which older releases
        # refuse.
        used = {node.domain for node in quantised.graph.node}
        imports = [entry for entry in quantised.opset_import if entry.domain in used]
        del quantised.opset_import[:]
        quantised.opset_import.extend(imports)
        return quantised.SerializeToString()
