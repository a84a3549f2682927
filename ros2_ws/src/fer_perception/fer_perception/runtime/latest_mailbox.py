# SPDX-License-Identifier: Apache-2.0
"""Passes the newest values from one thread to another."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestMailbox(Generic[T]):
    """Holds a few values; a newer one pushes out the oldest that was not taken.

    :param capacity: how many values wait at most.
    """

    def __init__(self, capacity: int = 1) -> None:
        self._condition = threading.Condition()
        self._values: deque[T] = deque(maxlen=capacity)
        self._closed = False

    @property
    def waiting(self) -> int:
        """Return how many values wait to be taken."""
        return len(self._values)

    def put(self, value: T) -> bool:
        """Add ``value`` and return whether it replaced one that was not taken."""
        with self._condition:
            replaced = len(self._values) == self._values.maxlen
            self._values.append(value)
            self._condition.notify()
            return replaced

    def wait(self) -> bool:
        """Wait for a value; return False once the mailbox is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._values or self._closed)
            return not self._closed

    def take(self) -> T | None:
        """Return the oldest value, or None when there is none or the mailbox is closed."""
        with self._condition:
            return self._values.popleft() if self._values and not self._closed else None

    def close(self) -> None:
        """Wake the waiting threads; no value is handed over any more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
