# SPDX-License-Identifier: Apache-2.0
"""Clocks that handle time set back, as by a replayed bag."""

from __future__ import annotations

import math
from typing import Final

MAX_OVERTAKING_S: Final = 1.0
"""Tolerance for frames out of order; a larger step back counts as time set back [s]."""


class StreamClock:
    """Distinguish late frames from time set back."""

    def __init__(self) -> None:
        self._last_s = -math.inf

    def advance(self, stamp_s: float) -> tuple[float, bool]:
        """Return (time of the frame, whether time was set back).

        A stamp slightly before the last one counts as the last one.

        :param stamp_s: seconds of any clock.
        """
        is_set_back = stamp_s < self._last_s - MAX_OVERTAKING_S
        self._last_s = stamp_s if is_set_back else max(stamp_s, self._last_s)
        return self._last_s, is_set_back


class Stopwatch:
    """Measure the seconds since an event on a resettable clock.

    When the clock jumps back behind the event, the event counts as having happened now.

    :param now_s: time of the event in seconds.
    """

    __slots__ = ("_since_s",)

    def __init__(self, now_s: float) -> None:
        self._since_s = now_s

    def restart(self, now_s: float) -> None:
        """Move the event to ``now_s``."""
        self._since_s = now_s

    def seconds(self, now_s: float) -> float:
        """Return the seconds since the event, never negative."""
        self._since_s = min(self._since_s, now_s)
        return now_s - self._since_s

    def lap_s(self, now_s: float) -> float:
        """Return the seconds since the event, never negative, and restart."""
        seconds = self.seconds(now_s)
        self._since_s = now_s
        return seconds
