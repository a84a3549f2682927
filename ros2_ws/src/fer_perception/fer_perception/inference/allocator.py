# SPDX-License-Identifier: Apache-2.0
"""Gives memory that is free again back to the system."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back_free_memory() -> None:
    """Let the C library release what it keeps for later, where it can (glibc).

    Loading a network takes twice the memory that the network then needs, in blocks of a size that
    is never asked for again.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
