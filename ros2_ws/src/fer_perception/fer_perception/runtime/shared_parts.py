# SPDX-License-Identifier: Apache-2.0
"""Share detectors and recognisers between the pipelines of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar, cast
from weakref import WeakValueDictionary

T = TypeVar("T")


class SharedParts:
    """Weak-value cache of detectors and recognisers.

    A part is used by one thread at a time; its users share a lock.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: WeakValueDictionary[Hashable, object] = WeakValueDictionary()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the cached part for ``key``, or create it with ``make``.

        :raises: the exceptions of ``make``; nothing is cached then.
        """
        with self._lock:
            part = self._parts.get(key)
            if part is None:
                part = self._parts[key] = make()
            return cast(T, part)
