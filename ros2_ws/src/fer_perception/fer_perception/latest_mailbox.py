# SPDX-License-Identifier: Apache-2.0
"""Hands values from one thread to another, of which only the newest count."""

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
        """Leave ``value`` and return whether it pushed out one that nobody had taken."""
        with self._condition:
            replaced = len(self._values) == self._values.maxlen
            self._values.append(value)
            self._condition.notify()
            return replaced

    def take(self) -> T | None:
        """Wait for a value and return the oldest, or None once the mailbox is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._values or self._closed)
            return None if self._closed else self._values.popleft()

    def close(self) -> None:
        """Wake up whoever waits; nothing is handed over any more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
