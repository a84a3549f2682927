# SPDX-License-Identifier: Apache-2.0
"""Find, verify and read the files that the package fer_models installs."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["ModelError", "models_folder", "read_safetensors", "read_verified", "sha256_of"]

_DTYPES: Final = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8"}


class ModelError(Exception):
    """A model cannot be loaded; the message names file, fault and remedy."""


def models_folder() -> Path:
    """Return the folder of fer_models, installed by colcon or by pip.

    :raises ModelError: when fer_models is not installed.
    """
    spec = importlib.util.find_spec("fer_models")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            "the package fer_models, which holds the weights, is not installed: build it with "
            "colcon, or run pip install ./models"
        )
    package = Path(spec.submodule_search_locations[0])
    # Installed models are inside the package; in an editable or a symlinked installation
    # they stay beside it.
    return package if (package / "mtcnn").is_dir() else package.resolve().parent


def sha256_of(content: bytes) -> str:
    """Return the hexadecimal SHA-256 digest of ``content``."""
    return hashlib.sha256(content).hexdigest()


def read_verified(path: Path, sha256: str) -> bytes:
    """Return the content of ``path`` after checking its hash.

    :param sha256: the expected hexadecimal digest.
    :raises ModelError: when the file is missing, unreadable or altered.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"cannot read {path}: {error.strerror}; export the model again, or restore the file"
        ) from error
    digest = sha256_of(content)
    if digest != sha256:
        raise ModelError(
            f"{path} is damaged or was altered: its sha256 is {digest[:12]}..., expected "
            f"{sha256[:12]}...; restore the whole folder from one release"
        )
    return content


def read_safetensors(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of a safetensors file, as views into ``content``.

    The format is eight bytes of header length, a JSON header and the plain data; reading it here
    saves a robot the package safetensors.

    :raises ValueError: when the content is not a valid safetensors file.
    """
    length = int.from_bytes(content[:8], "little")
    if not 8 < length <= len(content) - 8:
        raise ValueError(f"not a safetensors file: a header of {length} bytes")
    header = json.loads(content[8 : 8 + length])
    if not isinstance(header, dict):
        raise ValueError("not a safetensors file: the header is not an object")
    data = memoryview(content)[8 + length :]
    arrays = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            start, stop = entry["data_offsets"]
            dtype, shape = np.dtype(_DTYPES[entry["dtype"]]), tuple(map(int, entry["shape"]))
            if not 0 <= start <= stop <= len(data):
                raise ValueError(f"offsets {start} to {stop}")
            arrays[name] = np.frombuffer(data[start:stop], dtype).reshape(shape)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a safetensors file: {name!r}: {error}") from error
    return arrays
