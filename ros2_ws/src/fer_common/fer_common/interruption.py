# SPDX-License-Identifier: Apache-2.0
"""Raise an exception on SIGINT, SIGTERM and SIGHUP to remove unfinished files."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

EXIT_INTERRUPTED: Final = 130
_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The user requests to stop.

    Not an Exception, so that code that copes with any error of a library does not catch it.
    """


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise :class:`Interrupted` in the block when one of the signals arrives.

    SIGHUP stays ignored where the caller ignores it, as ``nohup`` does.
    """
    before = sys.unraisablehook
    sys.unraisablehook = _stop_later
    try:
        with handled_by(_stop):
            yield
    finally:
        sys.unraisablehook = before


@contextmanager
def handled_by(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """Call ``handler`` in the block when one of the signals arrives."""
    taken = {number: signal.getsignal(number) for number in _NUMBERS}
    if taken[signal.SIGHUP] is signal.SIG_IGN:
        del taken[signal.SIGHUP]
    for number in taken:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in taken.items():
            signal.signal(number, old)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Interrupted


def _stop_later(unraisable: Any, /) -> None:
    """Repeat a signal that arrived in a destructor, where Python drops exceptions."""
    if not isinstance(unraisable.exc_value, Interrupted):
        sys.__unraisablehook__(unraisable)
        return
    again = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGTERM))
    again.daemon = True
    again.start()
