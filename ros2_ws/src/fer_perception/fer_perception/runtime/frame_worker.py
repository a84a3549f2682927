# SPDX-License-Identifier: Apache-2.0
"""Process the newest frames of a stream in a worker thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from .frame_statistics import FrameStatistics
from .latest_mailbox import LatestMailbox
from .load_shedding import LoadShedder
from .rate_limit import RateLimit

MAX_WAIT_S: Final = 0.05
"""Two frames that arrive at once, because the machine stalled, are both processed; but none waits
longer than this when a newer one is available [s]."""

FrameT = TypeVar("FrameT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Received(Generic[FrameT]):
    """A frame and when it arrived.

    :ivar received_s: seconds of :func:`time.monotonic`.
    """

    frame: FrameT
    received_s: float


class FrameWorker(Generic[FrameT, ResultT]):
    """Receive frames in one thread and process them in another.

    Only the newest frames are kept: a fast camera costs dropped frames, not latency.

    :param process: returns the result of a frame or None; called while holding ``turns``.
    :param publish: receives frame and result, without ``turns``.
    :param on_error: receives the exception of either; the next frame follows.
    :param turns: lock held while a frame is processed.
    :ivar rate_hz: maximum frames processed per second; 0 for all.
    """

    def __init__(
        self,
        process: Callable[[Received[FrameT]], ResultT | None],
        publish: Callable[[Received[FrameT], ResultT], None],
        on_error: Callable[[Exception], None],
        turns: AbstractContextManager[Any],
    ) -> None:
        self.rate_hz = 0.0
        self.statistics = FrameStatistics()
        self.shedder = LoadShedder(0.0)
        self._process, self._publish, self._on_error = process, publish, on_error
        self._turns = turns
        self._rate_limit = RateLimit()
        self._mailbox: LatestMailbox[Received[FrameT]] | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start processing frames."""
        self._mailbox = LatestMailbox(capacity=2)
        self._thread = threading.Thread(
            target=self._work, args=(self._mailbox,), name="recognition", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Finish the current frame and drop waiting ones, in any state."""
        if self._mailbox is not None:
            self._mailbox.close()
            self._mailbox = None
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def receive(self, frame: FrameT) -> None:
        """Queue a frame received now; ignore it while stopped."""
        mailbox = self._mailbox
        if mailbox is None:
            return
        now_s = time.monotonic()
        if self._rate_limit.allows(now_s, self.rate_hz):
            replaced = mailbox.put(Received(frame, now_s))
            self.statistics.count_received(now_s, replaced)
        else:
            self.statistics.count_passed_over(now_s)

    def _work(self, mailbox: LatestMailbox[Received[FrameT]]) -> None:
        while mailbox.wait():
            try:
                self._process_newest(mailbox)
            except Exception as error:  # the next frame may be better
                self.statistics.count_rejected(time.monotonic())
                self._on_error(error)

    def _process_newest(self, mailbox: LatestMailbox[Received[FrameT]]) -> None:
        with self._turns:
            # Taken only now: a newer one may have arrived while others held the lock.
            frame = self._newest(mailbox)
            result = None if frame is None else self._process(frame)
        if frame is None or result is None:
            return
        self._publish(frame, result)
        now_s = time.monotonic()
        self.statistics.count_processed(now_s, now_s - frame.received_s)
        self.shedder.update(now_s - frame.received_s)

    def _newest(self, mailbox: LatestMailbox[Received[FrameT]]) -> Received[FrameT] | None:
        frame = mailbox.take()
        while (
            frame is not None
            and mailbox.waiting
            and time.monotonic() - frame.received_s > MAX_WAIT_S
        ):
            self.statistics.count_dropped(time.monotonic())
            frame = mailbox.take()
        return frame
