# SPDX-License-Identifier: Apache-2.0
"""Wait for an expression, or report what was seen instead."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from enum import Enum
from typing import Any

from .face import Condition, Face
from .holds import Holds

_MOST_FACES = 5


class Reason(Enum):
    """Why a wait ended without a face."""

    NOT_SHOWN = "not shown"
    NOBODY = "nobody"
    NOTHING_RUNNING = "nothing running"


class WaitTimeout(TimeoutError):
    """The expression was not shown in time; names what was seen.

    :ivar reason: distinguishes 'nobody was there' from 'nothing is running'.
    """

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


class Wait:
    """A wait that has begun; await it, or ask :meth:`done`.

    ``await`` works in coroutines of asyncio and of rclpy's executors.

    :param condition: what is waited for.
    :param holds: measures it.
    :param timeout_s: time to wait at most.
    :param source: where the faces come from, for errors.
    :param now_s: of a monotonic clock.
    :raises ValueError: when the timeout is not finite and positive.
    """

    held_s = 0.0
    """How long the face that was found had met the condition."""

    def __init__(
        self, condition: Condition, holds: Holds, timeout_s: float, source: str, now_s: float
    ) -> None:
        if not (math.isfinite(timeout_s) and timeout_s > 0.0):
            raise ValueError(f"timeout_s: expected more than 0 s, got {timeout_s!r}")
        self.condition = condition
        self.holds = holds
        self.timeout_s = timeout_s
        self.deadline_s = now_s + timeout_s
        self._source = source
        self._images = 0
        self._seen: dict[str, tuple[Face, float]] = {}
        self._future: Future[Face] = Future()

    def __await__(self) -> Generator[Any, None, Face]:
        """Wait for the face.

        :raises WaitTimeout: when none shows the expression in time.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # a coroutine of an executor, which is resumed again and again
            while not self._future.done():
                yield
            return self._future.result()
        return (yield from asyncio.wrap_future(self._future).__await__())

    def done(self) -> bool:
        """Return whether the wait is over, in whatever way."""
        return self._future.done()

    def cancelled(self) -> bool:
        """Return whether the wait was cancelled."""
        return self._future.cancelled()

    def cancel(self) -> None:
        """End the wait without a face."""
        self._future.cancel()

    def result(self) -> Face:
        """Return the face of a wait that is over.

        :raises WaitTimeout: when no face showed the expression in time.
        :raises concurrent.futures.CancelledError: when the wait was cancelled.
        :raises RuntimeError: when the wait is not over.
        """
        if not self.done():
            raise RuntimeError(f"the wait for {self.condition} is not over")
        return self._future.result()

    def add_done_callback(self, callback: Callable[[Wait], None]) -> None:
        """Call ``callback`` when the wait is over, at once where it is."""
        self._future.add_done_callback(lambda _: callback(self))

    def block(self, timeout_s: float) -> bool:
        """Block for some time; return whether the wait is over."""
        with suppress(TimeoutError, CancelledError):
            self._future.exception(timeout_s)
        return self.done()

    def note(self, faces: Iterable[Face]) -> Face | None:
        """Take an image's faces after the holds; return one that meets it."""
        self._images += 1
        found = None
        for face in faces:
            held_s = self.holds.seconds(face.face_id)
            _, longest_s = self._seen.get(face.face_id, (face, 0.0))
            self._seen[face.face_id] = (face, max(longest_s, held_s or 0.0))
            if found is None and self.condition.is_held_for(held_s):
                found, self.held_s = face, held_s or 0.0
        return found

    def finish(self, face: Face) -> None:
        """End the wait with a face, unless it is over."""
        with suppress(InvalidStateError):  # cancelled by another thread
            self._future.set_result(face)

    def expire(self, is_running: bool, hint: str = "") -> None:
        """End the wait without a face, unless it is over.

        :param is_running: whether messages still arrive.
        :param hint: why there may be none.
        """
        reason = self.reason(is_running)
        with suppress(InvalidStateError):
            self._future.set_exception(WaitTimeout(self.summary(is_running) + hint, reason))

    def reason(self, is_running: bool) -> Reason:
        """Return why no face has been found so far.

        :param is_running: whether messages arrive now.
        """
        if not (self._images and is_running):
            return Reason.NOTHING_RUNNING
        return Reason.NOT_SHOWN if self._seen else Reason.NOBODY

    def summary(self, is_running: bool) -> str:
        """Return what is waited for, and what has been seen meanwhile.

        :param is_running: whether messages arrive now.
        """
        text = f"waited {self.timeout_s:g} s for {self.condition}: "
        if not self._images:
            return f"{text}nothing is running, there was no message on {self._source}"
        if not is_running:
            text += f"nothing is running any more, messages on {self._source} have stopped; "
        if not self._seen:
            return f"{text}nobody was there in {self._images} images"
        faces = [_described(*seen) for seen in list(self._seen.values())[-_MOST_FACES:]]
        more = len(self._seen) - len(faces)
        return text + "seen were " + ", ".join(faces) + (f" and {more} more" if more else "")


def _described(face: Face, longest_s: float) -> str:
    longest = f", shown for {longest_s:.1f} s at most" if longest_s > 0.0 else ""
    return f"{face.face_id} ({face.emotion} {face.confidence:.0%} at last{longest})"
