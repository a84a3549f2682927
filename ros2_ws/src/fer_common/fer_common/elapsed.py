# SPDX-License-Identifier: Apache-2.0
"""Elapsed time that survives a clock set back."""

from __future__ import annotations


class ElapsedTime:
    """Seconds since an event, for a clock that a replayed recording may set back.

    When the clock jumps back behind the event, the event counts as having happened now.

    :param now_s: time of the event in seconds.
    """

    __slots__ = ("_since_s",)

    def __init__(self, now_s: float) -> None:
        self._since_s = now_s

    def restart(self, now_s: float) -> None:
        """Let the event happen now."""
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
