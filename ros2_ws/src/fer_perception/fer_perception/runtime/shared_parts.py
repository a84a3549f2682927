# SPDX-License-Identifier: Apache-2.0
"""Shares detectors and recognisers among the pipelines of one process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar, cast
from weakref import WeakValueDictionary

T = TypeVar("T")


class SharedParts:
    """Weak-value cache of detectors and recognisers.

    A part must be used by one thread at a time; the users share a lock for that.
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
