# SPDX-License-Identifier: Apache-2.0
"""Load the weights and graphs of MTCNN's three networks from fer_models."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..inference.model_files import ModelError, models_folder, read_safetensors, read_verified

__all__ = [
    "HASHES_FILE",
    "NETWORKS",
    "WEIGHTS_FILE",
    "Layer",
    "NetworkWeights",
    "load_graph",
    "load_weights",
]

Weights: TypeAlias = NDArray[np.float32]

NETWORKS: Final = ("pnet", "rnet", "onet")
WEIGHTS_FILE: Final = "mtcnn.safetensors"
HASHES_FILE: Final = "hashes.json"
"""SHA-256 digests of the folder's files."""

_FOLDER: Final = "mtcnn"


@dataclass(frozen=True, eq=False)
class Layer:
    """A convolution, or a fully connected layer as one.

    :ivar kernel: outputs x inputs x height x width.
    :ivar bias: of each output.
    :ivar slopes: of the PReLU after it, one for each output; None without one.
    """

    kernel: Weights
    bias: Weights
    slopes: Weights | None


@dataclass(frozen=True, eq=False)
class NetworkWeights:
    """The layers of a network, from RGB bytes to its heads.

    :ivar convolutions: in order; none is padded.
    :ivar dense: the fully connected layer after them, on their last map flattened as channels,
        rows, columns; None where the heads are convolutions.
    :ivar heads: by name, the logits "probability" first: not a face, a face.
    """

    convolutions: tuple[Layer, ...]
    dense: Layer | None
    heads: dict[str, Layer]


def load_weights(network: str, folder: Path | None = None) -> NetworkWeights:
    """Return the weights of one of :data:`NETWORKS`.

    :param folder: None for the one in fer_models.
    :raises ModelError: when fer_models is missing, or the file is missing or altered.
    """
    content = _read(WEIGHTS_FILE, folder)
    try:
        arrays = read_safetensors(content)
        names = [name.split(".") for name in arrays if name.startswith(f"{network}.")]
        count = len({index for _, kind, index, *_ in names if kind == "convolutions"})
        heads = dict.fromkeys(head for _, kind, head, *_ in names if kind == "heads")
        convolutions = tuple(_layer(arrays, f"{network}.convolutions.{n}") for n in range(count))
        is_dense = any(kind == "dense" for _, kind, *_ in names)
        return NetworkWeights(
            convolutions,
            _layer(arrays, f"{network}.dense") if is_dense else None,
            # The file's order is that of the names.
            {
                head: _layer(arrays, f"{network}.heads.{head}")
                for head in sorted(heads, key=_HEADS.index)
            },
        )
    except (KeyError, ValueError) as error:
        raise ModelError(
            f"{WEIGHTS_FILE} lacks or misstates {error}: restore fer_models"
        ) from error


_HEADS: Final = ("probability", "regression", "landmarks")


def load_graph(network: str, folder: Path | None = None) -> bytes:
    """Return the serialised ONNX model of one of :data:`NETWORKS`.

    Its input ``image`` is N x H x W x 3, RGB, uint8. Its outputs are ``probability`` of a face,
    ``regression`` (the box's left, top, right and bottom edge relative to its size) and, for
    "onet", ``landmarks`` (five x, then five y, relative to the box). For "pnet" they are
    N x C x h x w, one cell for every second pixel; otherwise N x C.

    :param folder: None for the one in fer_models.
    :raises ModelError: when fer_models is missing, or the file is missing or altered.
    """
    return _read(f"{network}.onnx", folder)


def _read(file: str, folder: Path | None) -> bytes:
    folder = folder or models_folder() / _FOLDER
    try:
        hashes = json.loads((folder / HASHES_FILE).read_text(encoding="utf-8"))
        expected = str(hashes[file])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / HASHES_FILE} cannot be used: {error}") from error
    return read_verified(folder / file, expected)


def _layer(arrays: dict[str, NDArray[Any]], prefix: str) -> Layer:
    return Layer(
        arrays[f"{prefix}.kernel"], arrays[f"{prefix}.bias"], arrays.get(f"{prefix}.slopes")
    )
