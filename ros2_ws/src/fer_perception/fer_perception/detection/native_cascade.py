# SPDX-License-Identifier: Apache-2.0
"""Run the cascade in C++ (``native/cascade.cpp``), faster than ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..face import RgbImage
from ..inference import native_library
from .mtcnn_weights import NETWORKS, Layer, load_weights

__all__ = ["NativeCascade", "packed_layers"]

_VECTOR: Final = 16  # outputs of a layer are padded to whole vectors
_ROW: Final = 15  # left, top, right, bottom, probability, five (x, y)
_CAPACITY: Final = 64


class NativeCascade:
    """The three networks and the steps between them, used single-threaded.

    Calls release Python's global interpreter lock.

    :param instructions: one of :data:`~.native_library.INSTRUCTION_SETS` that the processor has;
        None for the best.
    :raises RuntimeError: when the library was not built.
    :raises ~fer_perception.inference.model_files.ModelError: when the weights are missing or
        altered.
    """

    def __init__(self, instructions: str | None = None) -> None:
        self._library = native_library.loaded()
        self._weights, self._shapes = packed_layers()
        self._handle: int | None = self._library.fer_cascade_new(
            self._weights.ctypes.data,
            self._shapes.ctypes.data,
            len(self._shapes),
            (instructions or native_library.instruction_set()).encode(),
        )

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self._library.fer_cascade_delete(self._handle)
            self._handle = None

    def detect(
        self,
        image: RgbImage,
        min_face_px: float,
        scale_factor: float,
        thresholds: tuple[float, float, float],
    ) -> NDArray[np.float32]:
        """Return a row per face: box edges, probability, landmarks."""
        limits = np.array(thresholds, np.float32)
        capacity = _CAPACITY
        while True:
            rows = np.empty((capacity, _ROW), np.float32)
            count = self._library.fer_cascade_detect(
                self._handle,
                *_image_arguments(image),
                min_face_px,
                scale_factor,
                limits.ctypes.data,
                rows.ctypes.data,
                capacity,
            )
            if count <= capacity:
                return rows[:count]
            capacity = count

    def refine(self, image: RgbImage, squares: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run O-Net alone on ``squares``, N x 4; return their rows."""
        # The library converts coordinates to integers of this range.
        squares = np.clip(np.ascontiguousarray(squares, np.float32), -1e6, 1e6)
        rows = np.empty((len(squares), _ROW), np.float32)
        self._library.fer_cascade_refine(
            self._handle,
            *_image_arguments(image),
            squares.ctypes.data,
            len(squares),
            rows.ctypes.data,
        )
        return rows


def _image_arguments(image: RgbImage) -> tuple[Any, ...]:
    height, width = image.shape[:2]
    return image.ctypes.data, height, width, image.strides[0]


def packed_layers() -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return weights and shapes of all layers, as ``cascade.cpp`` reads them.

    :returns: the weights in a row; kernel height, kernel width, inputs and outputs by layer.
    """
    layers = list(_layers())
    shapes = [(*layer.kernel.shape[2:], *layer.kernel.shape[1::-1]) for layer in layers]
    return np.concatenate([_packed(layer) for layer in layers]), np.array(shapes, np.int32)


def _layers() -> Iterator[Layer]:
    """Yield the layers in the order of ``cascade.cpp``."""
    for network in NETWORKS:
        weights = load_weights(network)
        yield from weights.convolutions
        if weights.dense is not None:
            # The library stores maps as rows, columns, channels.
            outputs = len(weights.dense.bias)
            channels = len(weights.convolutions[-1].bias)
            kernel = weights.dense.kernel.reshape(outputs, channels, -1).swapaxes(1, 2)
            yield Layer(
                kernel.reshape(outputs, -1, 1, 1), weights.dense.bias, weights.dense.slopes
            )
        heads = weights.heads.values()
        yield Layer(
            np.concatenate([head.kernel for head in heads]),
            np.concatenate([head.bias for head in heads]),
            None,
        )


def _packed(layer: Layer) -> NDArray[np.float32]:
    """Return weights, bias and slopes with padded outputs as one vector."""
    outputs = len(layer.bias)
    padding = -outputs % _VECTOR
    slopes = np.ones(outputs, np.float32) if layer.slopes is None else layer.slopes
    kernel = layer.kernel.transpose(2, 3, 1, 0)
    padded = [
        np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, padding)])
        for array in (kernel, layer.bias, slopes)
    ]
    return np.concatenate([array.ravel() for array in padded]).astype(np.float32)
