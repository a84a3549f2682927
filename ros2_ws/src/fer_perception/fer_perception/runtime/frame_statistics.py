# SPDX-License-Identifier: Apache-2.0
"""Statistics of the frames of a stream over a sliding window."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

_WINDOW_S: Final = 5.0


@dataclass(frozen=True)
class FrameReport:
    """Statistics of a stream.

    :ivar received: frames that arrived since the start.
    :ivar processed: frames with a result.
    :ivar dropped: frames replaced by a newer one before processing.
    :ivar rejected: frames that could not be read.
    :ivar damaged: frames processed of which a part may be missing.
    :ivar nearly_black: frames processed that show nothing but black.
    :ivar passed_over: frames beyond the processing rate that was asked for.
    :ivar rate_hz: frames processed a second, over the last seconds.
    :ivar latency_p50_s: median time from receipt to result, over the last seconds; NaN if none.
    :ivar latency_p95_s: the same, 95th percentile.
    :ivar dropped_share: of the frames of the last seconds, 0 to 1.
    :ivar rejected_share: of those that were not dropped, 0 to 1.
    :ivar damaged_share: the same.
    :ivar nearly_black_share: the same.
    :ivar silence_s: time since the last frame arrived; infinite before the first.
    """

    received: int
    processed: int
    dropped: int
    rejected: int
    damaged: int
    nearly_black: int
    passed_over: int
    rate_hz: float
    latency_p50_s: float
    latency_p95_s: float
    dropped_share: float
    rejected_share: float
    damaged_share: float
    nearly_black_share: float
    silence_s: float


class _Counter:
    """Counts since the start, and over the last seconds."""

    def __init__(self) -> None:
        self.total = 0
        self._times_s: deque[float] = deque()

    def add(self, now_s: float) -> None:
        self.total += 1
        self._times_s.append(now_s)
        self.recent(now_s)

    def recent(self, now_s: float) -> int:
        while self._times_s and self._times_s[0] < now_s - _WINDOW_S:
            self._times_s.popleft()
        return len(self._times_s)


class FrameStatistics:
    """Thread-safe counters; all times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received = self._processed = self._passed_over = 0
        self._dropped, self._rejected = _Counter(), _Counter()
        self._damaged, self._nearly_black = _Counter(), _Counter()
        self._last_received_s = -float("inf")
        self._recent: deque[tuple[float, float]] = deque()

    def count_received(self, now_s: float, replaced: bool) -> None:
        """Count a received frame; ``replaced`` if it replaced a waiting one."""
        with self._lock:
            self._received += 1
            if replaced:
                self._dropped.add(now_s)
            self._last_received_s = now_s

    def count_rejected(self, now_s: float) -> None:
        """Count a frame that could not be read."""
        with self._lock:
            self._rejected.add(now_s)

    def count_damaged(self, now_s: float) -> None:
        """Count a processed frame of which a part may be missing."""
        with self._lock:
            self._damaged.add(now_s)

    def count_nearly_black(self, now_s: float) -> None:
        """Count a processed frame that is nearly black."""
        with self._lock:
            self._nearly_black.add(now_s)

    def count_dropped(self, now_s: float) -> None:
        """Count a frame dropped for a newer one after a long wait."""
        with self._lock:
            self._dropped.add(now_s)

    def count_passed_over(self, now_s: float) -> None:
        """Count a received frame that is skipped."""
        with self._lock:
            self._received += 1
            self._passed_over += 1
            self._last_received_s = now_s

    def count_processed(self, now_s: float, latency_s: float) -> None:
        """Count a processed frame and its latency since receipt."""
        with self._lock:
            self._processed += 1
            self._recent.append((now_s, latency_s))
            self._forget(now_s)

    def _forget(self, now_s: float) -> None:
        while self._recent and self._recent[0][0] < now_s - _WINDOW_S:
            self._recent.popleft()

    def report(self, now_s: float) -> FrameReport:
        """Return the statistics at ``now_s``."""
        with self._lock:
            self._forget(now_s)
            latencies = [latency for _, latency in self._recent]
            dropped, rejected, damaged, nearly_black = (
                counter.recent(now_s)
                for counter in (self._dropped, self._rejected, self._damaged, self._nearly_black)
            )
            frames = max(1, len(latencies) + rejected)
            p50, p95 = np.percentile(latencies, [50, 95]) if latencies else (np.nan, np.nan)
            return FrameReport(
                self._received,
                self._processed,
                self._dropped.total,
                self._rejected.total,
                self._damaged.total,
                self._nearly_black.total,
                self._passed_over,
                len(latencies) / _WINDOW_S,
                float(p50),
                float(p95),
                dropped / (frames + dropped),
                rejected / frames,
                min(1.0, damaged / frames),
                min(1.0, nearly_black / frames),
                now_s - self._last_received_s,
            )
