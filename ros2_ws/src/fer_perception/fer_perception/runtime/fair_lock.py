# SPDX-License-Identifier: Apache-2.0
"""A first-in, first-out lock."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class FairLock:
    """First-in, first-out lock as a context manager; not reentrant.

    With :class:`threading.Lock`, a thread that reacquires the lock at once may starve the others.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        """Acquire the lock."""
        with self._mutex:
            if not self._is_held:
                self._is_held = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hand the lock to the thread that waits longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()  # stays held for that thread
            else:
                self._is_held = False
