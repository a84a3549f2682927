# SPDX-License-Identifier: Apache-2.0
"""Straight moves of a light, and bounds of their swings.

A lamp answers a light of cube roots ``u`` by ``sum_k weight_k * f_k(u_k)``. This module assumes
only the family of :data:`STEEPEST`; :mod:`.flash_limiter` states the argument.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence

from ambient_light_driver.color.light_color import clamp_unit
from ambient_light_driver.color.root_light import RootLight
from ambient_light_driver.safety.swing_search import most_swings

STEEPEST = 9.0
"""Largest exponent of ``u``: a lamp of exponent 3 that gets linear light, ``(u ** 3) ** 3``.

The smallest is 1: a lamp of exponent 1 that gets ``light ** (1 / 3)``."""

DRIFT = 0.01
"""Uncounted change in a window, under the worst lamp of the family.

Red flashes leave the least room: 20 / 320 = 0.0625 of full scale. Rounding to 8 bit of colour,
brightness and their product takes up to 0.026 of it at each end."""

_SNAP = 1e-6
"""Distance below which a point of a line equals the light."""

Segment = tuple[RootLight, RootLight]
"""Start and end of a straight line."""


class Line:
    """A direction of a straight line.

    :param direction: of length 1.
    """

    def __init__(self, direction: Sequence[float]) -> None:
        self._direction = direction

    @classmethod
    def between(cls, start: RootLight, end: RootLight) -> Line | None:
        """Return the direction from ``start`` to ``end``; None if equal."""
        way = [b - a for a, b in zip(start.channels, end.channels, strict=True)]
        length = math.hypot(*way)
        return cls([part / length for part in way]) if length > 0.0 else None

    def passes(self, start: RootLight, light: RootLight, distance: float) -> bool:
        """Return whether the ray from ``start`` passes within ``distance`` of ``light``."""
        way = [b - a for a, b in zip(start.channels, light.channels, strict=True)]
        ahead = sum(a * b for a, b in zip(way, self._direction, strict=True))
        beside = [a - ahead * b for a, b in zip(way, self._direction, strict=True)]
        return ahead >= -distance and math.hypot(*beside) <= distance

    def nearest(self, start: RootLight, light: RootLight) -> RootLight:
        """Return the ray's point nearest ``light``, within [0, 1]."""
        way = [b - a for a, b in zip(start.channels, light.channels, strict=True)]
        ahead = sum(a * b for a, b in zip(way, self._direction, strict=True))
        for value, part in zip(start.channels, self._direction, strict=True):
            if part != 0.0:
                ahead = min(ahead, ((1.0 if part > 0.0 else 0.0) - value) / part)
        if ahead <= 0.0:
            return start
        red, green, blue = (
            clamp_unit(value + ahead * part)
            for value, part in zip(start.channels, self._direction, strict=True)
        )
        point = RootLight(red, green, blue)
        return light if point.distance(light) < _SNAP else point


class Move:
    """A straight line traversed forward.

    :param start: initial light.
    :param now_s: its start time.
    """

    def __init__(self, start: RootLight, now_s: float) -> None:
        self._times_s = [now_s]
        self._points = [start]

    def extend(self, point: RootLight, now_s: float) -> None:
        """Append ``point``."""
        self._times_s.append(now_s)
        self._points.append(point)

    def forget(self, start_s: float) -> bool:
        """Drop the part before ``start_s``; return whether nothing is left."""
        first = self._first(start_s)
        del self._times_s[:first], self._points[:first]
        return len(self._points) < 2

    def within(self, start_s: float, end: RootLight | None = None) -> Segment | None:
        """Return the part after ``start_s``, None if empty.

        :param end: where the move continues to; None for its last point.
        """
        start = self._points[self._first(start_s)]
        if end is None and start is self._points[-1]:
            return None
        return start, end or self._points[-1]

    def _first(self, start_s: float) -> int:
        """Return the index of the last point before ``start_s``."""
        return max(0, bisect_left(self._times_s, start_s) - 1)


class MoveLog:
    """The moves of a light within a window of time."""

    def __init__(self) -> None:
        self._moves: deque[Move] = deque()

    @property
    def is_going(self) -> bool:
        """Whether the last move is within the window."""
        return bool(self._moves)

    def begin(self, start: RootLight, now_s: float) -> None:
        """Begin a move at ``start``."""
        self._moves.append(Move(start, now_s))

    def extend(self, point: RootLight, now_s: float) -> None:
        """Extend the last move."""
        self._moves[-1].extend(point, now_s)

    def forget(self, start_s: float) -> None:
        """Drop all that happened before ``start_s``."""
        while self._moves and self._moves[0].forget(start_s):
            self._moves.popleft()

    def within(self, start_s: float, end: RootLight | None = None) -> list[Segment]:
        """Return the parts of all moves after ``start_s``, in order.

        :param end: where the last move continues to; None for its last point.
        """
        parts = [
            move.within(start_s, end if move is self._moves[-1] else None) for move in self._moves
        ]
        return [part for part in parts if part is not None]


def swings_at_most(segments: Iterable[Segment], limit: int) -> bool:
    """Return whether every lamp swings at most ``limit`` times along ``segments``.

    The swings of each segment are bounded alone.
    """
    counted = _without_drift(segments)
    bounds = [_swings_bound(segment) for segment in counted]
    excess = sum(bounds) - limit
    for segment, bound in zip(counted, bounds, strict=True):
        if excess <= 0:
            break
        excess -= bound - min(bound, max(1, most_swings((segment,))))
    return excess <= 0


def path_swings_at_most(path: Sequence[Segment], limit: int) -> bool:
    """Return whether all searched lamps swing at most ``limit`` times on ``path``.

    :param path: segments in order, each from the end of the previous one.
    """
    # Each change of the weakest channel may add a swing of lamps that extract white.
    bound = sum(
        _swings_bound(segment) + _strongest_changes(*_mirrored(segment)) for segment in path
    )
    return bound <= limit or most_swings(tuple(path), is_whole=True) <= limit


def counted_moves(segments: Iterable[Segment]) -> int:
    """Return the number of ``segments`` beyond drift."""
    return len(_without_drift(segments))


def largest_change(start: RootLight, end: RootLight) -> float:
    """Return the largest change from ``start`` to ``end`` under any lamp.

    The result is in [0, 1]. Changes of hue count at any brightness, since the newer definition of
    red flashes uses chromaticity alone and a consumer may ignore the brightness.
    """
    roots = zip(start.channels, end.channels, strict=True)
    hues = zip(start.hue, end.hue, strict=True)
    return max(
        *(_largest_difference(one, other) for one, other in roots),
        *(_largest_difference(one, other) for one, other in hues),
    )


def _without_drift(segments: Iterable[Segment]) -> list[Segment]:
    """Drop the smallest changes, up to :data:`DRIFT` in total."""
    sized = sorted(((largest_change(*segment), segment) for segment in segments), key=_size)
    total, first = 0.0, 0
    while first < len(sized) and total + sized[first][0] <= DRIFT:
        total += sized[first][0]
        first += 1
    return [segment for _, segment in sized[first:]]


def _size(sized: tuple[float, Segment]) -> float:
    return sized[0]


def _swings_bound(segment: Segment) -> int:
    """Return a bound of any lamp's swings along a straight line.

    Two while one channel stays the strongest; each change of the strongest adds one, for lamps
    that receive the brightness separately from a normalised colour.
    """
    start, end = (segment[0].channels, segment[1].channels)
    return 2 + _strongest_changes(start, end)


def _mirrored(segment: Segment) -> tuple[Sequence[float], Sequence[float]]:
    """Return start and end with the weakest channel as the strongest."""
    return [-value for value in segment[0].channels], [-value for value in segment[1].channels]


def _strongest_changes(start: Sequence[float], end: Sequence[float]) -> int:
    first = max(range(3), key=lambda k: (start[k], end[k]))
    last = max(range(3), key=lambda k: (end[k], start[k]))
    if first == last:
        return 0
    third = 3 - first - last
    # Where the first and the last channel are equal: check whether the third exceeds them.
    gap_start, gap_end = start[first] - start[last], end[last] - end[first]
    share = gap_start / (gap_start + gap_end) if gap_start + gap_end > 0.0 else 0.0
    crossing = [(1.0 - share) * a + share * b for a, b in zip(start, end, strict=True)]
    return 2 if crossing[third] > crossing[first] else 1


def _largest_difference(one: float, other: float) -> float:
    """Return the largest ``|one ** s - other ** s|`` for s <= :data:`STEEPEST`."""
    low, high = min(one, other), max(one, other)
    if high <= low:
        return 0.0
    if low <= 0.0:
        return high
    if high >= 1.0:
        return 1.0 - low**STEEPEST
    best = math.log(math.log(low) / math.log(high)) / math.log(high / low)
    exponent = min(max(best, 1.0), STEEPEST)
    return high**exponent - low**exponent
