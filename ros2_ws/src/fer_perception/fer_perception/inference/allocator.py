# SPDX-License-Identifier: Apache-2.0
"""Return freed memory to the system."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back_free_memory() -> None:
    """Return free memory of the C library (glibc) to the system.

    Loading a network takes twice the memory that it needs afterwards, in blocks of a size that
    nothing else uses.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
