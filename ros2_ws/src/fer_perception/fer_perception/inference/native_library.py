# SPDX-License-Identifier: Apache-2.0
"""Load the native library (``native/``), faster than ONNX Runtime.

It is optional and built with the package where a C++ compiler is present.
"""

from __future__ import annotations

import ctypes
import platform
from functools import cache
from pathlib import Path
from typing import Any, Final

__all__ = ["INSTRUCTION_SETS", "instruction_set", "is_built", "loaded"]

INSTRUCTION_SETS: Final = (
    ("generic", "neon") if platform.machine() == "aarch64" else ("generic", "avx2", "avx512")
)
"""Instruction sets that the library is compiled for on this architecture, slowest first."""

_NAME: Final = "_native"


@cache
def _library() -> ctypes.CDLL | None:
    files = sorted(Path(__file__).parent.glob(f"{_NAME}*.so"))
    if not files:
        return None
    try:
        library = ctypes.CDLL(str(files[0]))
    except OSError:
        return None
    pointer, integer, real, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_float, ctypes.c_char_p
    image: list[Any] = [pointer, integer, integer, ctypes.c_long]
    library.fer_instruction_set.restype = text
    library.fer_cascade_new.restype = pointer
    library.fer_cascade_new.argtypes = [pointer, pointer, integer, text]
    library.fer_cascade_delete.argtypes = [pointer]
    library.fer_cascade_detect.argtypes = [pointer, *image, real, real, pointer, pointer, integer]
    library.fer_cascade_refine.argtypes = [pointer, *image, pointer, integer, pointer]
    library.fer_cascade_refine.restype = None
    library.fer_convolutions_new.restype = pointer
    library.fer_convolutions_new.argtypes = [pointer, pointer, integer, integer, integer, text]
    library.fer_convolutions_delete.argtypes = [pointer]
    library.fer_convolutions_run.argtypes = [pointer, pointer, integer, pointer, integer]
    library.fer_convolutions_run.restype = None
    return library


def is_built() -> bool:
    """Return whether the library is built and can be loaded."""
    return _library() is not None


def instruction_set() -> str:
    """Return the best of :data:`INSTRUCTION_SETS` that this processor has.

    :raises RuntimeError: when the library is not built.
    """
    return str(loaded().fer_instruction_set().decode())


def loaded() -> ctypes.CDLL:
    """Return the library.

    :raises RuntimeError: when it is not built.
    """
    library = _library()
    if library is None:
        raise RuntimeError(
            "the native library was not built: build fer_perception with a C++17 compiler, or "
            "use the backend onnxruntime"
        )
    return library
