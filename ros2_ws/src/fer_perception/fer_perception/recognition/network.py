# SPDX-License-Identifier: Apache-2.0
"""Run an emotion network natively where faster, else on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..inference import native_library
from ..inference.native_convolutions import NativeConvolutions
from ..inference.onnx_session import execution_provider_of, open_session
from .alignment import CROP_SIZE_PX
from .model_store import Model
from .split_graph import SplitGraph

__all__ = ["Network", "open_network"]

_Run: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

# A single face runs in one thread, as fast as ONNX Runtime with more threads than this.
_THREADS: Final = 2


@dataclass(frozen=True)
class Network:
    """A loaded network.

    :ivar run: crops, N x 48 x 48, to logits, N x classes.
    :ivar execution_provider: the provider in use, such as "cpu" or "cuda".
    """

    run: _Run
    execution_provider: str


def open_network(model: Model, threads: int, provider: str = "cpu") -> Network:
    """Open the network of ``model``.

    :param threads: maximum CPU threads.
    :param provider: one of :data:`~..inference.onnx_session.EXECUTION_PROVIDERS`.
    :raises ~fer_perception.inference.model_files.ModelError: when the weights lack a convolution.
    """
    native = model.split is not None and native_library.is_built() and threads <= _THREADS
    if not native or provider != "cpu":
        whole = open_session(model.graph, threads, provider)
        used = execution_provider_of(whole)
        if not native or used != "cpu":
            return Network(lambda crops: whole.run(None, {"crops": crops})[0], used)
    assert model.split is not None
    return Network(_split_network(model.split, threads), "cpu")


def _split_network(split: SplitGraph, threads: int) -> _Run:
    before, after = open_session(split.before, threads), open_session(split.after, threads)
    [middle] = after.get_inputs()
    [maps] = before.run(None, {"crops": np.zeros((1, CROP_SIZE_PX, CROP_SIZE_PX), np.uint8)})
    layers = split.convolutions()
    convolutions = NativeConvolutions(layers, maps.shape[2], maps.shape[3], threads)

    def run(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        [maps] = before.run(None, {"crops": crops})
        [logits] = after.run(None, {middle.name: convolutions.run(maps)})
        return logits

    return run
