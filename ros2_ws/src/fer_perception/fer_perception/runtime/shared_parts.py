# SPDX-License-Identifier: Apache-2.0
"""Lets several pipelines of one process use the same detector and the same network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar, cast
from weakref import WeakValueDictionary

T = TypeVar("T")


class SharedParts:
    """Keeps what was made for as long as somebody uses it.

    Whoever shares a part must see to it that one thread uses it at a time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: WeakValueDictionary[Hashable, object] = WeakValueDictionary()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the part that was made for ``key``, or make it.

        :raises: what ``make`` raises; nothing is kept then.
        """
        with self._lock:
            part = self._parts.get(key)
            if part is None:
                part = self._parts[key] = make()
            return cast(T, part)
