# SPDX-License-Identifier: Apache-2.0
"""Time of a recording during playback, at any rate or paused."""

from __future__ import annotations


class PlaybackClock:
    """Map a steady clock to the recording's time.

    :param start_ns: the recording's time at the start.
    :param rate: recorded seconds per second, above 0.
    :param steady_s: the steady clock's time now [s].
    """

    def __init__(self, start_ns: int, rate: float, steady_s: float) -> None:
        if not rate > 0.0:
            raise ValueError(f"rate is {rate}: expected above 0")
        self._start_ns = start_ns
        self._since_s = steady_s
        self._rate = rate
        self._paused = False

    def now_ns(self, steady_s: float) -> int:
        """Return the recording's time."""
        if self._paused:
            return self._start_ns
        return self._start_ns + round((steady_s - self._since_s) * self._rate * 1e9)

    def set(self, rate: float, paused: bool, steady_s: float) -> None:
        """Change the rate without a jump in time."""
        if (rate, paused) == (self._rate, self._paused):
            return
        self._start_ns, self._since_s = self.now_ns(steady_s), steady_s
        self._rate, self._paused = rate, paused
