# SPDX-License-Identifier: Apache-2.0
"""Hands values from one thread to another, of which only the newest counts."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestMailbox(Generic[T]):
    """Holds at most one value; a newer one replaces one that was not taken."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._value: T | None = None
        self._closed = False

    def put(self, value: T) -> bool:
        """Leave ``value`` and return whether it replaced one that nobody had taken."""
        with self._condition:
            replaced = self._value is not None
            self._value = value
            self._condition.notify()
            return replaced

    def take(self) -> T | None:
        """Wait for a value and return it, or None once the mailbox is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._value is not None or self._closed)
            value, self._value = self._value, None
            return None if self._closed else value

    def close(self) -> None:
        """Wake up whoever waits; nothing is handed over any more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
