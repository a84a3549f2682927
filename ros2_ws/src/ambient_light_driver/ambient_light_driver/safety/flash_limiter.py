# SPDX-License-Identifier: Apache-2.0
"""Keep a lamp from flashing: the last stage before a colour leaves for the lamps.

WCAG 2.2, success criterion 2.3.1: no more than three general flashes and three red flashes
within any one second. A general flash is a pair of opposing changes of relative luminance of
0.10 or more; a red flash is a pair of opposing changes of (R - G - B) * 320 of more than 20, or,
in the newer definition, of more than 0.2 of CIE 1976 chromaticity, that involve a saturated red
(R / (R + G + B) >= 0.8). https://www.w3.org/TR/WCAG22/#dfn-general-flash-and-red-flash-thresholds

How a lamp turns numbers into light is not known here. The limiter holds for every lamp whose
channels rise with what they are sent by any exponent from 1 to 3, with any positive weights of
the channels, with the brightness multiplied in or sent apart, and 8-bit rounding at each step.

Why it holds. Write a light as the cube roots ``u`` of its linear channels. Then a channel's light
is ``u ** s`` with ``s`` in [1, 9]: 9 at a lamp of exponent 3 that gets linear light, 1 at a lamp
of exponent 1 that gets ``light ** (1 / 3)``.

1. The output is a sequence of *moves*: straight ways in ``u``, each gone forward only.
2. Along a move each ``u_k`` is linear, so each ``u_k ** s`` is convex, and so is any sum with
   positive weights: it falls, then rises, and turns at most once. A move holds two swings at
   most, one flash, whatever the exponents and weights are; in particular if the weight is on
   one channel alone, so a full swing of blue counts as one of white does.
3. Where brightness is sent apart, a channel's light is ``hue ** p * brightness ** q``, which is
   not convex. While one channel stays the strongest, the third swing is below 0.02; each change
   of the strongest channel may add a swing, and is counted as one unless a search of such lamps
   finds none. This, and that redness (a difference of convex functions) has no third swing above
   0.05, is found numerically (tests and fuzz), not proven.
4. A move begins or goes on only while the swings of all moves in the window stay within twice
   the allowed flashes. Uncounted are only parts whose change is, in sum over the window and under
   the worst lamp, at most :data:`~.moves.DRIFT`; rounding at both ends of a swing does not lift
   that to a threshold. So each swing of a lamp contains a swing of a counted move.
5. A lamp that leaves out samples, or jumps from one to the next, has no more swings. One that
   gets each colour late, in order and one at a time, begins a window with one older colour: a
   seventh swing, and no fourth pair. :attr:`FlashLimiter.late_s` lengthens the window for links
   that do not confirm.

To need few moves, a move aims at where the light is going to and ignores targets that leave its
line by little; what is left over is made up once the light rests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ambient_light_driver.color.light_color import OFF, LightColor
from ambient_light_driver.color.root_light import DARK, RootLight
from ambient_light_driver.safety.moves import (
    Line,
    MoveLog,
    Segment,
    counted_moves,
    swings_at_most,
)

MAX_FLASHES = 3
"""Flashes that the standard allows in one window; this module never allows more."""

SECOND_S = 1.0 + 0.02
"""The standard's second and a margin for clocks [s]."""

DEFAULT_LATE_S = 0.1
"""How late a colour may be shown that no one confirms [s]."""

_TUBES = (0.02, 0.05, 0.12)
"""How far a target may lie beside a move without a new one, by the number of moves counted."""

_SETTLING_PER_S = 0.2
"""Speed at which a resting light makes up for what moves left over [cube root of light / s]."""

_EQUAL = 1e-6


@dataclass(frozen=True, slots=True)
class LimitedColor:
    """What may be shown now.

    :param color: the wanted colour, or one on the way to it; at its brightest, with a brightness.
    :param limited: whether a flash had to be prevented.
    """

    color: LightColor
    limited: bool


class FlashLimiter:
    """Limits a stream of colours to ``max_flashes`` general and red flashes in any second.

    Keep one limiter for the whole life of the lamps, over every change of settings. Start: off.

    :ivar late_s: longest time from a colour's departure to its light, where no one confirms [s].
    """

    def __init__(self) -> None:
        self.late_s = DEFAULT_LATE_S
        self._shown = self._last_wanted = DARK
        self._line: Line | None = None
        self._now_s = -math.inf
        self._interventions = 0
        self._limiting = False
        self._log = MoveLog()

    @property
    def shown(self) -> LightColor:
        """The colour that was let through last."""
        return self._shown.to_color()

    @property
    def interventions(self) -> int:
        """How often the limiter had to begin holding a colour back."""
        return self._interventions

    def step(
        self,
        wanted: LightColor,
        monotonic_s: float,
        max_flashes: int = MAX_FLASHES,
        aim: LightColor | None = None,
    ) -> LimitedColor:
        """Return the colour to show now in place of ``wanted``.

        :param monotonic_s: a clock that no one can set, such as :func:`time.monotonic` [s]; a
            step back counts as no time.
        :param max_flashes: flashes allowed in the window, 1 to :data:`MAX_FLASHES`.
        :param aim: where ``wanted`` is fading to, if it is fading.
        :raises ValueError: for any other ``max_flashes``: the standard cannot be loosened.
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
        limited = not self._follow(light, target, 2 * max_flashes, is_resting * elapsed_s)
        self._interventions += limited and not self._limiting
        self._limiting = limited
        return LimitedColor(self._shown.to_color(), limited)

    def switch_off(self, monotonic_s: float) -> LightColor:
        """Return black at once, as a lamp must be able to go out; coming back is limited.

        One fall more than allowed is a seventh swing, hence no fourth pair.
        """
        self._advance(monotonic_s)
        self._limiting = False
        if self._shown != DARK:
            self._go(Line.between(self._shown, DARK), DARK)
        return OFF

    def _advance(self, monotonic_s: float) -> float:
        """Take over the time and return the seconds that passed since the last one."""
        before_s = self._now_s
        if math.isfinite(monotonic_s):
            self._now_s = max(before_s, monotonic_s)
        return self._now_s - before_s if math.isfinite(before_s) else 0.0

    def _follow(self, light: RootLight, target: RootLight, limit: int, rested_s: float) -> bool:
        """Go towards ``light``; return whether nothing but the limit stood against it."""
        parts = self._log.within(self._now_s - SECOND_S - self.late_s)
        counted = counted_moves(parts)
        tube = _TUBES[min(counted, len(_TUBES) - 1)]
        gap = self._shown.distance(light)
        is_settling = rested_s > 0.0 and 0.0 < gap <= _TUBES[-1]
        if is_settling:
            tube = 0.0
            share = min(1.0, _SETTLING_PER_S * rested_s / gap)
            light = self._shown.moved_towards(light, share)
        if self._line is not None and self._line.passes(self._shown, light, tube + _EQUAL):
            return self._try_going(self._line, light, parts, limit)
        if gap <= tube or (is_settling and 2 * counted > limit - 2):
            return True
        for end in (target, light):
            line = Line.between(self._shown, end)
            if line is not None and line.passes(self._shown, light, tube + _EQUAL):
                return self._try_going(line, light, parts, limit)
        return True

    def _try_going(self, line: Line, light: RootLight, parts: list[Segment], limit: int) -> bool:
        """Go along ``line`` to the point next to ``light`` unless a lamp could flash."""
        point = line.nearest(self._shown, light)
        if point == self._shown:
            return True
        start = self._shown
        if line is self._line and self._log.is_going:
            start, parts = parts[-1][0], parts[:-1]
        if not swings_at_most([*parts, (start, point)], limit):
            return False
        self._go(line, point)
        return True

    def _go(self, line: Line | None, point: RootLight) -> None:
        if line is not self._line or not self._log.is_going:
            self._log.begin(self._shown, self._now_s)
        self._log.extend(point, self._now_s)
        self._line, self._shown = line, point
