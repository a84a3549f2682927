# SPDX-License-Identifier: Apache-2.0
"""Return freed memory to the system (glibc; no effect with other C libraries)."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

# <malloc.h>
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_SMALL_BYTES: Final = 256 * 1024
# Where the library's own rule ends once a block of this size was freed.
_LARGEST_BYTES: Final = 32 * 1024 * 1024


def give_back_free_memory() -> None:
    """Return free memory of the C library to the system.

    Loading a network takes twice the memory that it needs afterwards, in blocks of a size that
    nothing else uses.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def large_blocks_returned() -> Iterator[None]:
    """Return large blocks to the system as soon as they are freed in this block.

    The files of a network would otherwise leave holes in the heap that are filled only in part.
    Afterwards images come from the heap: mapping each one would cost page faults. It sets the
    policy of the whole process: for a node's process, not for a library's user.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        yield
        return
    mallopt(_M_MMAP_THRESHOLD, _SMALL_BYTES)
    try:
        yield
    finally:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_BYTES)
        mallopt(_M_TRIM_THRESHOLD, 2 * _LARGEST_BYTES)
        give_back_free_memory()
