# SPDX-License-Identifier: Apache-2.0
"""Flash limiter: the last stage before the lamps.

WCAG 2.2, success criterion 2.3.1: no more than three general flashes and three red flashes
within any one second. A general flash is a pair of opposing changes of relative luminance of
0.10 or more; a red flash is a pair of opposing changes of (R - G - B) * 320 of more than 20, or,
in the newer definition, of more than 0.2 of CIE 1976 chromaticity, that involve a saturated red
(R / (R + G + B) >= 0.8). https://www.w3.org/TR/WCAG22/#dfn-general-flash-and-red-flash-thresholds

The conversion of numbers to light by a lamp is unknown here. The limiter holds for every lamp
whose channels rise with the received number by any exponent from 1 to 3, with any positive weights
of the channels, with the brightness multiplied in or sent separately, and 8-bit rounding at each
step.

Why it holds. Write a light as the cube roots ``u`` of its linear channels. Then a channel's light
is ``u ** s`` with ``s`` in [1, 9]: 9 at a lamp of exponent 3 that gets linear light, 1 at a lamp
of exponent 1 that gets ``light ** (1 / 3)``.

1. The output is a sequence of *moves*: straight lines in ``u``, each traversed forward only.
2. Along a move each ``u_k`` is linear, so each ``u_k ** s`` is convex, and so is any sum with
   positive weights: it falls, then rises, and turns at most once. A move holds two swings at
   most, one flash, whatever the exponents and weights are; in particular if the weight is on
   one channel alone, so a full swing of blue counts as one of white does.
3. Where brightness is sent apart, a channel's light is ``hue ** p * brightness ** q``, which is
   not convex. While one channel stays the strongest, the third swing is below 0.02; each change
   of the strongest channel may add a swing, and is counted as one unless a search of such lamps
   finds none. This, and that redness (a difference of convex functions) has no third swing above
   0.05, is found numerically (tests and fuzz), not proven.
4. A move begins or continues only while the swings of all moves in the window stay within twice
   the allowed flashes. Uncounted are only parts whose change is, in sum over the window and under
   the worst lamp, at most :data:`~.moves.DRIFT`; rounding at both ends of a swing does not lift
   that to a threshold. So each swing of a lamp contains a swing of a counted move.
5. A lamp that leaves out samples, or jumps from one to the next, has no more swings. One that
   gets each colour late, in order and one at a time, begins a window with one older colour: a
   seventh swing, and no fourth pair.
6. A receiver that stalls for up to :attr:`FlashLimiter.late_s` and then shows its queue
   compresses that time into a moment. The whole path of a window that is longer by it, so, has
   no more swings than allowed either, on any lamp of a search over the whole path; these also
   extract white. A lamp that was lost adds an excursion: two swings, for which room is kept.

To limit the number of moves, a move aims at the target of the fade and ignores targets close to
its line; the remaining difference is corrected once the light rests.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from ambient_light_driver.color.light_color import OFF, LightColor
from ambient_light_driver.color.root_light import DARK, RootLight
from ambient_light_driver.safety.moves import (
    Line,
    MoveLog,
    Segment,
    counted_moves,
    path_swings_at_most,
    swings_at_most,
)

MAX_FLASHES = 3
"""Flashes that the standard allows in one window, the upper limit of this module."""

SECOND_S = 1.0 + 0.02
"""The standard's second plus a margin for clocks [s]."""

JITTER_S = 0.1
"""Maximum delay of an unconfirmed colour while no receiver stalls [s]."""

LATE_S = 2.5
"""Time for which a receiver may queue colours that it then shows all at once [s]."""

_TUBES = (0.02, 0.05, 0.12)
"""Tolerated distance of a target from a move, by the number of counted moves."""

_SETTLING_PER_S = 0.2
"""Speed at which a resting light corrects remaining differences [cube root of light / s]."""

_EQUAL = 1e-6


@dataclass(frozen=True, slots=True)
class LimitedColor:
    """The permitted colour.

    :param color: the wanted colour, or one on the way to it; normalised, with a brightness.
    :param limited: whether a flash is prevented.
    """

    color: LightColor
    limited: bool


class FlashLimiter:
    """Limit general and red flashes of a stream of colours.

    At most ``max_flashes`` of each kind pass in any second. Use one limiter for the whole life of
    the lamps, over every change of settings. Initial state: off.

    :ivar late_s: longest time for which a receiver may queue colours before it shows them [s].
    """

    def __init__(self) -> None:
        self.late_s = LATE_S
        self._shown = self._last_wanted = DARK
        self._line: Line | None = None
        self._now_s = -math.inf
        self._interventions = 0
        self._limiting = False
        self._log = MoveLog()
        self._outages: list[tuple[float, str]] = []

    @property
    def shown(self) -> LightColor:
        """The last permitted colour."""
        return self._shown.to_color()

    @property
    def interventions(self) -> int:
        """How often the limiter started to limit a colour."""
        return self._interventions

    def step(
        self,
        wanted: LightColor,
        monotonic_s: float,
        max_flashes: int = MAX_FLASHES,
        aim: LightColor | None = None,
    ) -> LimitedColor:
        """Return the permitted colour for ``wanted``.

        :param monotonic_s: a monotonic clock, such as :func:`time.monotonic` [s]; a step back
            counts as 0 s.
        :param max_flashes: flashes allowed in the window, 1 to :data:`MAX_FLASHES`.
        :param aim: target of the fade, if ``wanted`` is fading.
        :raises ValueError: for any other ``max_flashes``: the standard's limit is fixed.
        """
        if not 1 <= max_flashes <= MAX_FLASHES:
            raise ValueError(f"max_flashes: expected 1 to {MAX_FLASHES}, got {max_flashes}")
        elapsed_s = self._advance(monotonic_s)
        if wanted.is_valid():
            light = RootLight.from_color(wanted)
            target = RootLight.from_color(aim) if aim is not None and aim.is_valid() else light
        else:
            light = target = self._shown
        is_resting = max(light.distance(self._last_wanted), light.distance(target)) < _EQUAL
        self._last_wanted = light
        limit = 2 * max(0, max_flashes - self._flashes_of_outages())
        limited = not self._follow(light, target, limit, is_resting * elapsed_s)
        self._interventions += limited and not self._limiting
        self._limiting = limited
        return LimitedColor(self._shown.to_color(), limited)

    def switch_off(self, monotonic_s: float) -> LightColor:
        """Return black immediately; later colours are limited.

        One additional fall is a seventh swing, not a fourth pair.
        """
        self._advance(monotonic_s)
        self._limiting = False
        if self._shown != DARK:
            self._go(Line.between(self._shown, DARK), DARK)
        return OFF

    def count_outage(self, monotonic_s: float, lamp: str = "") -> None:
        """Count a flash of a lamp that failed or may obey late.

        Such an excursion adds two swings at most, whenever it takes place in the window.

        :param lamp: its name, since each lamp has its own outages; empty where it may be any.
        """
        self._advance(monotonic_s)
        self._outages.append((self._now_s, lamp))

    def _flashes_of_outages(self) -> int:
        """Return the outages in the window of the lamp that has most."""
        start_s = self._start_of(self.late_s)
        self._outages = [outage for outage in self._outages if outage[0] >= start_s]
        lamps = Counter(lamp for _, lamp in self._outages)
        of_any = lamps.pop("", 0)
        return of_any + max(lamps.values(), default=0)

    def _advance(self, monotonic_s: float) -> float:
        """Update the time and return the elapsed seconds."""
        before_s = self._now_s
        if math.isfinite(monotonic_s):
            self._now_s = max(before_s, monotonic_s)
        return self._now_s - before_s if math.isfinite(before_s) else 0.0

    def _follow(self, light: RootLight, target: RootLight, limit: int, rested_s: float) -> bool:
        """Move towards ``light``; return whether only the limit prevented it."""
        self._log.forget(self._start_of(self.late_s))
        counted = counted_moves(self._log.within(self._start_of(JITTER_S)))
        tube = _TUBES[min(counted, len(_TUBES) - 1)]
        gap = self._shown.distance(light)
        is_settling = rested_s > 0.0 and 0.0 < gap <= _TUBES[-1]
        if is_settling:
            tube = 0.0
            share = min(1.0, _SETTLING_PER_S * rested_s / gap)
            light = self._shown.moved_towards(light, share)
        if self._line is not None and self._line.passes(self._shown, light, tube + _EQUAL):
            return self._try_going(self._line, light, limit)
        if gap <= tube or (is_settling and 2 * counted > limit - 2):
            return True
        for end in (target, light):
            line = Line.between(self._shown, end)
            if line is not None and line.passes(self._shown, light, tube + _EQUAL):
                return self._try_going(line, light, limit)
        return True

    def _start_of(self, late_s: float) -> float:
        """Return the start of the window of 1 s + ``late_s``."""
        return self._now_s - SECOND_S - late_s

    def _try_going(self, line: Line, light: RootLight, limit: int) -> bool:
        """Move along ``line`` to the point nearest ``light``, unless limited."""
        point = line.nearest(self._shown, light)
        if point == self._shown:
            return True
        recent, queued = (
            self._moves_to(line, point, self._start_of(late_s))
            for late_s in (JITTER_S, self.late_s)
        )
        if not (swings_at_most(recent, limit) and path_swings_at_most(queued, limit)):
            return False
        self._go(line, point)
        return True

    def _moves_to(self, line: Line, point: RootLight, start_s: float) -> list[Segment]:
        """Return the moves since ``start_s`` if the light went on to ``point``."""
        if line is self._line and self._log.is_going:
            return self._log.within(start_s, point)
        return [*self._log.within(start_s), (self._shown, point)]

    def _go(self, line: Line | None, point: RootLight) -> None:
        if line is not self._line or not self._log.is_going:
            self._log.begin(self._shown, self._now_s)
        self._log.extend(point, self._now_s)
        self._line, self._shown = line, point
