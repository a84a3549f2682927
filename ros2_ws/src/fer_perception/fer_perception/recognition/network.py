# SPDX-License-Identifier: Apache-2.0
"""Runs an emotion network's graph: natively as far as that is faster, else on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..inference import native_library
from ..inference.convolution_chain import split_at_convolutions
from ..inference.native_convolutions import NativeConvolutions
from ..inference.onnx_session import open_session
from .alignment import CROP_SIZE_PX

Network: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Crops, N x 48 x 48, to logits, N x classes."""

# A single face is computed by one thread, which is as fast as ONNX Runtime with more than this.
_THREADS: Final = 2


def open_network(graph: bytes, threads: int) -> Network:
    """Return how to run ``graph``, a serialised ONNX model, on at most ``threads`` CPU threads."""
    split = split_at_convolutions(graph) if native_library.is_built() else None
    if split is None or threads > _THREADS:
        whole = open_session(graph, threads)
        return lambda crops: whole.run(None, {"crops": crops})[0]
    before, after = open_session(split.before, threads), open_session(split.after, threads)
    [middle] = after.get_inputs()
    [maps] = before.run(None, {"crops": np.zeros((1, CROP_SIZE_PX, CROP_SIZE_PX), np.uint8)})
    convolutions = NativeConvolutions(split.chain, maps.shape[2], maps.shape[3], threads)

    def run(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        [maps] = before.run(None, {"crops": crops})
        [logits] = after.run(None, {middle.name: convolutions.run(maps)})
        return logits

    return run
