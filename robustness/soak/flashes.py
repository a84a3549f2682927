# SPDX-License-Identifier: Apache-2.0
"""Counts the flashes of a lamp by WCAG 2.3.1, without the limiter's code.

A flash is a pair of opposing changes. All are counted: also bright ones and those of unsaturated
reds, which the standard allows.
"""

from __future__ import annotations

from collections import deque

MAX_FLASHES = 3
"""General, and red, flashes that the standard allows in any second."""

_SECOND_S = 1.0
_LUMINANCE_CHANGE = 0.10
_RED_CHANGE = 20.0
_RED_SCALE = 320.0


class _Swings:
    """Opposing changes of one quantity and when each ended."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._direction = 0
        self._extreme: float | None = None
        self._ends_s: deque[float] = deque()
        self.worst_pairs = 0
        self.count = 0
        self.violations = 0

    def see(self, now_s: float, value: float) -> None:
        if self._extreme is None:
            self._extreme = value
        change = value - self._extreme
        is_new = False
        if abs(change) >= self._threshold and change * self._direction <= 0:
            self._direction, self._extreme = (1 if change > 0 else -1), value
            self._ends_s.append(now_s)
            self.count += 1
            is_new = True
        elif change * self._direction > 0:
            self._extreme = value
        while self._ends_s and now_s - self._ends_s[0] > _SECOND_S:
            self._ends_s.popleft()
        pairs = len(self._ends_s) // 2
        self.worst_pairs = max(self.worst_pairs, pairs)
        self.violations += is_new and pairs > MAX_FLASHES


class FlashCounter:
    """Follows one lamp's linear light."""

    def __init__(self) -> None:
        self._luminance = _Swings(_LUMINANCE_CHANGE)
        self._red = _Swings(_RED_CHANGE)

    @property
    def worst_flashes(self) -> int:
        """General flashes in the worst second so far."""
        return self._luminance.worst_pairs

    @property
    def worst_red_flashes(self) -> int:
        """Red flashes in the worst second so far."""
        return self._red.worst_pairs

    @property
    def violations(self) -> int:
        """Swings that ended in a second with more flashes of their kind than are allowed."""
        return self._luminance.violations + self._red.violations

    @property
    def swings(self) -> int:
        """Swings of luminance so far."""
        return self._luminance.count

    def see(self, now_s: float, linear: tuple[float, float, float], luminance: float) -> None:
        """Take in what the lamp shows.

        :param linear: red, green, blue, 1 at full power.
        :param luminance: relative to full white.
        """
        red, green, blue = linear
        self._luminance.see(now_s, luminance)
        self._red.see(now_s, _RED_SCALE * max(0.0, red - green - blue))
