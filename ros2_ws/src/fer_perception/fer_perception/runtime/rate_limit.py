# SPDX-License-Identifier: Apache-2.0
"""Limit the average rate of unevenly spaced events."""

from __future__ import annotations

import math


class RateLimit:
    """Rate limiter; times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._next_s = -math.inf

    def allows(self, now_s: float, rate_hz: float) -> bool:
        """Return whether an event at ``now_s`` may pass; count it then.

        :param rate_hz: maximum events per second; 0 for all.
        """
        if rate_hz <= 0.0:
            return True
        period_s = 1.0 / rate_hz
        # Without effect at a constant rate: a higher one counts at once.
        self._next_s = min(self._next_s, now_s + 1.5 * period_s)
        # An event may be half a period early if earlier ones were late.
        if now_s < self._next_s - 0.5 * period_s:
            return False
        self._next_s = max(self._next_s, now_s - 0.5 * period_s) + period_s
        return True
