# SPDX-License-Identifier: Apache-2.0
"""Bounded mailbox of the newest values, between two threads."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestMailbox(Generic[T]):
    """Hold the newest values; drop the oldest when full.

    :param capacity: maximum number of waiting values.
    """

    def __init__(self, capacity: int = 1) -> None:
        self._condition = threading.Condition()
        self._values: deque[T] = deque(maxlen=capacity)
        self._closed = False

    @property
    def waiting(self) -> int:
        """Return the number of waiting values."""
        return len(self._values)

    def put(self, value: T) -> bool:
        """Add ``value`` and return whether it replaced a waiting one."""
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
        """Return the oldest value; None when empty or closed."""
        with self._condition:
            return self._values.popleft() if self._values and not self._closed else None

    def close(self) -> None:
        """Wake the waiting threads and refuse further values."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
