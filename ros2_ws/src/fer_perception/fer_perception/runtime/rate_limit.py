# SPDX-License-Identifier: Apache-2.0
"""Lets events through at a given rate on average, however they are spaced."""

from __future__ import annotations

import math


class RateLimit:
    """Passes at most so many events a second; times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._next_s = -math.inf

    def allows(self, now_s: float, rate_hz: float) -> bool:
        """Return whether an event at ``now_s`` may pass, and count it if so.

        :param rate_hz: 0 lets all pass.
        """
        if rate_hz <= 0.0:
            return True
        period_s = 1.0 / rate_hz
        # An event may come half a period early, if those before were late.
        if now_s < self._next_s - 0.5 * period_s:
            return False
        self._next_s = max(self._next_s, now_s - 0.5 * period_s) + period_s
        return True
