# SPDX-License-Identifier: Apache-2.0
"""A lock that threads get in the order in which they asked for it."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class FairLock:
    """Passes from thread to thread in turn; a context manager, not reentrant.

    With :class:`threading.Lock`, a thread that asks again at once may keep the others waiting for
    long; here each of them has its turn before it.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        """Wait for the turn of this thread."""
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
        """Let the thread that waits longest go on."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()  # stays held: no thread comes between
            else:
                self._is_held = False
