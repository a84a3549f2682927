# SPDX-License-Identifier: Apache-2.0
"""Give the unused pages of this process's Fast DDS segments back to the system.

Fast DDS writes zeros to its whole shared memory segment when it creates it, so that each process
holds all of it from then on, for messages that it may never send. Pages of zeros are removed from
the file here: they read as zeros as before, and the system provides each again on first use.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_CHUNK: Final = 1024 * 1024
# The first messages, of the discovery, are written to the beginning.
_KEPT: Final = 2 * _CHUNK
_LOCK: Final = re.compile(r"(/dev/shm/fast(?:rtps|dds)_[0-9a-f]{16})_el")  # nosec B108
_KEEP_SIZE, _PUNCH_HOLE = 1, 2  # <linux/falloc.h>

_done: set[str] = set()


def give_back_unused_segments() -> int:
    """Give back the pages of zeros of the segments that this process has created.

    Call it once the first node exists and before anything is published: a page must not be written
    to between the look at it and its removal. Later calls leave the same segments alone.

    :returns: the bytes given back; 0 without Fast DDS, its shared memory, or Linux.
    """
    given_back = 0
    for segment in _own_segments():
        with suppress(OSError, AttributeError):  # the memory then stays with the process
            given_back += _give_back(segment)
    return given_back


def _own_segments() -> Iterator[str]:
    """Yield the segments whose lock this process holds, each once."""
    with suppress(OSError):
        for file in list(Path("/proc/self/fd").iterdir()):
            with suppress(OSError):  # closed meanwhile
                lock = _LOCK.fullmatch(str(file.readlink()))
                if lock and lock[1] not in _done:
                    _done.add(lock[1])
                    yield lock[1]


def _give_back(segment: str) -> int:
    punch = ctypes.CDLL(None, use_errno=True).fallocate
    punch.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    zeros = bytes(_CHUNK)
    given_back = 0
    file = os.open(segment, os.O_RDWR)
    try:
        for start in range(_KEPT, os.fstat(file).st_size - _CHUNK, _CHUNK):
            if os.pread(file, _CHUNK, start) == zeros:
                if punch(file, _PUNCH_HOLE | _KEEP_SIZE, start, _CHUNK):
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), segment)
                given_back += _CHUNK
    finally:
        os.close(file)
    return given_back
