# SPDX-License-Identifier: Apache-2.0
"""A network's graph, split around the convolutions that run in C++."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inference.model_files import ModelError, read_safetensors
from ..inference.native_convolutions import Convolution
from .model_config import ConvolutionNames

__all__ = ["SplitGraph"]


@dataclass(frozen=True)
class SplitGraph:
    """A graph split around its chain of convolutions.

    :ivar before: serialised ONNX model, from crops to the first convolution's input.
    :ivar after: serialised ONNX model, from the last convolution's output to logits.
    :ivar layers: the convolutions between.
    :ivar weights: the safetensors file that holds their weights.
    """

    before: bytes
    after: bytes
    layers: tuple[ConvolutionNames, ...]
    weights: bytes

    def convolutions(self) -> list[Convolution]:
        """Return the convolutions with folded batch normalisation.

        :raises ModelError: when the weights lack one, or are malformed.
        """
        try:
            arrays = read_safetensors(self.weights)
            # The recogniser refuses networks with non-finite scores.
            with np.errstate(all="ignore"):
                return [_folded(layer, arrays) for layer in self.layers]
        except (KeyError, ValueError) as error:
            raise ModelError(f"the convolutions' weights cannot be read: {error}") from error


def _folded(layer: ConvolutionNames, arrays: Mapping[str, NDArray[Any]]) -> Convolution:
    kernel = arrays[layer.weight].astype(np.float64)
    if kernel.shape[2:] != (3, 3):
        raise ValueError(f"{layer.weight} is {kernel.shape}: expected kernels of 3 x 3")
    bias = arrays[layer.bias].astype(np.float64) if layer.bias else np.zeros(len(kernel))
    if layer.normalization:
        scale, offset, mean, variance = (
            arrays[name].astype(np.float64) for name in layer.normalization
        )
        factor = scale / np.sqrt(variance + layer.epsilon)
        kernel, bias = kernel * factor[:, None, None, None], (bias - mean) * factor + offset
    return Convolution(kernel.astype(np.float32), bias.astype(np.float32), layer.pooled)
