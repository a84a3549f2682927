# SPDX-License-Identifier: Apache-2.0
"""Run a chain of convolutions in C++ (``native/convolutions.cpp``).

Winograd's method needs a third of the multiplications of ONNX Runtime.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import native_library

__all__ = ["OUTPUTS_MULTIPLE", "Convolution", "NativeConvolutions"]

OUTPUTS_MULTIPLE: Final = 16
"""The number of outputs of each layer is a multiple of this: whole vectors are computed."""


@dataclass(frozen=True, eq=False)
class Convolution:
    """A 3 x 3 convolution, padded by one pixel, followed by a ReLU.

    :ivar kernel: outputs x inputs x 3 x 3.
    :ivar bias: of each output.
    :ivar pooled: whether a 2 x 2 max-pool follows.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    pooled: bool


class NativeConvolutions:
    """Compute consecutive convolutions, from one thread at a time.

    Calls release Python's global interpreter lock.

    :param layers: the outputs of each, the inputs of the next, are a multiple of
        :data:`OUTPUTS_MULTIPLE`.
    :param height: of the first layer's input maps, in pixels.
    :param width: of the first layer's input maps, in pixels.
    :param threads: CPU threads that share the maps of a call.
    :param instructions: one of :data:`~.native_library.INSTRUCTION_SETS` that the processor has;
        None for the best.
    :raises RuntimeError: when the library was not built.
    :raises ValueError: when the sizes of the layers do not match.
    """

    def __init__(
        self,
        layers: Sequence[Convolution],
        height: int,
        width: int,
        threads: int = 1,
        instructions: str | None = None,
    ) -> None:
        self._library = native_library.loaded()
        self._threads = threads
        self._handle: int | None = None
        kernels = [layer.kernel for layer in layers]
        if any(a.shape[0] != b.shape[1] for a, b in zip(kernels, kernels[1:], strict=False)):
            raise ValueError("the convolutions do not fit each other")
        if any(layer.bias.shape != layer.kernel.shape[:1] for layer in layers):
            raise ValueError("a convolution needs one bias for each output")
        if any(len(kernel) % OUTPUTS_MULTIPLE for kernel in kernels):
            raise ValueError(f"a convolution's outputs must be a multiple of {OUTPUTS_MULTIPLE}")
        halvings = sum(layer.pooled for layer in layers)
        self._input_shape = (kernels[0].shape[1], height, width)
        self._output_shape = (height >> halvings, width >> halvings, len(kernels[-1]))
        if not all(self._output_shape):
            raise ValueError(f"{height} x {width} pixels are too few for {halvings} poolings")
        parts = [
            array.ravel()
            for layer in layers
            for array in (layer.kernel.transpose(2, 3, 1, 0), layer.bias)
        ]
        weights = np.concatenate(parts).astype(np.float32)
        inputs_first = [(*layer.kernel.shape[1::-1], layer.pooled) for layer in layers]
        shapes = np.array(inputs_first, np.int32)
        self._handle = self._library.fer_convolutions_new(
            weights.ctypes.data,
            shapes.ctypes.data,
            len(layers),
            height,
            width,
            (instructions or native_library.instruction_set()).encode(),
        )

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self._library.fer_convolutions_delete(self._handle)
            self._handle = None

    def run(self, maps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the last layer's output for ``maps``, both N x channels x height x width.

        :raises ValueError: when the maps do not have the declared size.
        """
        if maps.shape[1:] != self._input_shape:
            raise ValueError(f"the maps are {maps.shape[1:]}, expected {self._input_shape}")
        pixels = np.ascontiguousarray(maps.transpose(0, 2, 3, 1), np.float32)
        result = np.empty((len(maps), *self._output_shape), np.float32)
        self._library.fer_convolutions_run(
            self._handle, pixels.ctypes.data, len(maps), result.ctypes.data, self._threads
        )
        return np.ascontiguousarray(result.transpose(0, 3, 1, 2))
