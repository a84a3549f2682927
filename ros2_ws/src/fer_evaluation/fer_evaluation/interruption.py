# SPDX-License-Identifier: Apache-2.0
"""Raise an exception on SIGINT and SIGTERM, to remove unfinished files."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

EXIT_INTERRUPTED: Final = 130


class Interrupted(Exception):
    """The user requests to stop."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise :class:`Interrupted` in the block when SIGINT or SIGTERM arrives."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, _stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Interrupted
