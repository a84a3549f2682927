# SPDX-License-Identifier: Apache-2.0
"""Counts the flashes of a lamp by WCAG 2.3.1, without the limiter's code.

A flash is a pair of opposing changes. All are counted: also bright ones and those of unsaturated
reds, which the standard allows. ITU-R BT.1702 counts changes of 20 cd/m² below 160 cd/m²: the
same tenth of full light at a lamp of 200 cd/m². Red flashes are counted by both definitions:
(R - G - B) * 320, and, since WCAG 2.2, chromaticity.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

MAX_FLASHES = 3
"""General, and red, flashes that the standard allows in any second."""

LUMINANCE_CHANGE = 0.10
RED_CHANGE = 20.0
_SECOND_S = 1.0
_RED_SCALE = 320.0
_SATURATED = 0.8
_CHROMATICITY_CHANGE = 0.2
_DARK = 0.03
"""Light of all channels, each 1 at most, below which the steps of 8 bit make the chromaticity."""

Rgb = tuple[float, float, float]
T = TypeVar("T")


def opposing_changes(values: Iterable[float], threshold: float) -> int:
    """Return how many changes of ``threshold`` or more follow each other in turn."""
    count = direction = 0
    low, high = math.inf, -math.inf
    for value in values:
        low, high = min(low, value), max(high, value)
        if direction <= 0 and value - low >= threshold:
            count, direction, low, high = count + 1, 1, value, value
        elif direction >= 0 and high - value >= threshold:
            count, direction, low, high = count + 1, -1, value, value
    return count


def red_transitions(colors: Iterable[Rgb]) -> int:
    """Return how many transitions to or from a saturated red there are, by chromaticity."""
    count = 0
    before: tuple[bool, float, float] | None = None
    for color in colors:
        if sum(color) < _DARK:
            continue
        now = (color[0] >= _SATURATED * sum(color), *_chromaticity(color))
        if before is None:
            before = now
        far = math.dist(before[1:], now[1:]) > _CHROMATICITY_CHANGE
        if far and (before[0] or now[0]):
            count += 1
            before = now
        elif now[0] or not before[0]:
            before = now
    return count


def _chromaticity(linear: Rgb) -> tuple[float, float]:
    """Return CIE 1976 u' and v' of linear sRGB."""
    red, green, blue = linear
    big_x = 0.4124 * red + 0.3576 * green + 0.1805 * blue
    big_y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    big_z = 0.0193 * red + 0.1192 * green + 0.9505 * blue
    total = big_x + 15.0 * big_y + 3.0 * big_z
    return 4.0 * big_x / total, 9.0 * big_y / total


class _Second(Generic[T]):
    """What was shown in the last second, beginning with what was shown at its start."""

    def __init__(self, changes: Callable[[Iterable[T]], int]) -> None:
        self._changes = changes
        self._shown: deque[tuple[float, T]] = deque()
        self.worst_pairs = 0
        self.violations = 0

    def see(self, now_s: float, value: T) -> None:
        if self._shown and self._shown[-1][1] == value:
            return
        self._shown.append((now_s, value))
        while len(self._shown) > 1 and self._shown[1][0] <= now_s - _SECOND_S:
            self._shown.popleft()
        pairs = self._changes(value for _, value in self._shown) // 2
        self.worst_pairs = max(self.worst_pairs, pairs)
        self.violations += pairs > MAX_FLASHES


class FlashCounter:
    """Follows one lamp's linear light."""

    def __init__(self) -> None:
        self._luminance = _Second[float](lambda values: opposing_changes(values, LUMINANCE_CHANGE))
        self._red = _Second[float](lambda values: opposing_changes(values, RED_CHANGE))
        self._newer_red = _Second[Rgb](red_transitions)
        self._swing = _Swing()

    @property
    def worst_flashes(self) -> int:
        """General flashes in the worst second so far."""
        return self._luminance.worst_pairs

    @property
    def worst_red_flashes(self) -> int:
        """Red flashes in the worst second so far, by the definition that finds more."""
        return max(self._red.worst_pairs, self._newer_red.worst_pairs)

    @property
    def violations(self) -> int:
        """Colours that came in a second with more flashes of a kind than are allowed."""
        return sum(s.violations for s in (self._luminance, self._red, self._newer_red))

    @property
    def swings(self) -> int:
        """Swings of luminance so far."""
        return self._swing.count

    def see(self, now_s: float, linear: Rgb, luminance: float) -> None:
        """Take in what the lamp shows.

        :param linear: red, green, blue, 1 at full power.
        :param luminance: relative to full white.
        """
        self._swing.see(luminance)
        self._luminance.see(now_s, luminance)
        self._red.see(now_s, redness(linear))
        self._newer_red.see(now_s, linear)


class _Swing:
    """Counts opposing changes of luminance without end."""

    def __init__(self) -> None:
        self.count = 0
        self._since_turn: list[float] = []
        self._direction = 0

    def see(self, value: float) -> None:
        low = min([*self._since_turn, value])
        high = max([*self._since_turn, value])
        rises = self._direction <= 0 and value - low >= LUMINANCE_CHANGE
        falls = self._direction >= 0 and high - value >= LUMINANCE_CHANGE
        if rises or falls:
            self.count += 1
            self._direction = 1 if rises else -1
            low = high = value
        self._since_turn = [low, high]


def redness(linear: Rgb) -> float:
    """Return (R - G - B) * 320, at least 0."""
    red, green, blue = linear
    return _RED_SCALE * max(0.0, red - green - blue)


def most_flashes(
    times_s: list[float], values: list[T], changes: Callable[[Iterable[T]], int]
) -> int:
    """Return the pairs of ``changes`` in the worst second of a record.

    :param times_s: when each of ``values`` was shown, rising; each stays until the next.
    """
    second = _Second[T](changes)
    for now_s, value in zip(times_s, values, strict=True):
        second.see(now_s, value)
    return second.worst_pairs
