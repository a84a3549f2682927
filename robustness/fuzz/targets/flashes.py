# SPDX-License-Identifier: Apache-2.0
"""Flashing wishes through the limiter, on lamps unknown to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np

from ambient_light_driver.color.light_color import OFF, LightColor
from ambient_light_driver.safety.flash_limiter import FlashLimiter

from ..lamps import FORMS, random_lamps, worst_flashes
from ..target import Target, Try

_LAMPS = 30
_MOST_WISHES = 100
_LEVELS = (0.0, 0.1, 0.3, 0.5, 0.73, 0.9, 1.0)


@dataclass(frozen=True)
class Wish:
    """A request to the limiter.

    :ivar after_s: time since the previous wish [s].
    :ivar color: to show; None switches off.
    :ivar aim: target of the fade.
    """

    after_s: float
    color: LightColor | None
    aim: LightColor | None = None


def any_color(rng: Random) -> LightColor:
    """Return a colour; extreme ones are frequent."""
    pick: Callable[[], float] = (
        (lambda: rng.choice(_LEVELS)) if rng.random() < 0.6 else (lambda: rng.random())
    )
    return LightColor(pick(), pick(), pick(), rng.choice((1.0, 1.0, pick())))


def between(one: LightColor, other: LightColor, share: float) -> LightColor:
    """Return the colour at ``share`` of the way from ``one`` to ``other``."""
    red, green, blue, level = (
        (1.0 - share) * a + share * b for a, b in zip(one.channels, other.channels, strict=True)
    )
    return LightColor(red, green, blue, level)


def _in_turn(rng: Random, period_s: float) -> list[Wish]:
    colors = [any_color(rng) for _ in range(rng.choice((2, 2, 2, 3, 4)))]
    return [Wish(period_s, colors[i % len(colors)]) for i in range(round(2.4 / period_s))]


def _stairs(rng: Random, period_s: float) -> list[Wish]:
    """Raise one channel and lower another in alternating steps, and back."""
    steps = rng.randrange(3, 12)
    rising, falling = rng.sample(range(3), 2)
    wishes = []
    for i in range(round(2.4 / period_s)):
        phase = i % (4 * steps)
        step = phase if phase <= 2 * steps else 4 * steps - phase
        channels = [0.0, 0.0, 0.0]
        channels[rising] = ((step + 1) // 2) / steps
        channels[falling] = 1.0 - (step // 2) / steps
        wishes.append(Wish(period_s, LightColor(*channels)))
    return wishes


def _fades(rng: Random, period_s: float) -> list[Wish]:
    """Fade to a new colour before the previous fade ends."""
    shown, aim = any_color(rng), any_color(rng)
    pool = [any_color(rng) for _ in range(rng.choice((2, 3, 6)))]
    knows_aim = rng.random() < 0.7
    constant_s, hold_s = rng.choice((0.05, 0.1, 0.4)), rng.uniform(0.05, 0.5)
    wishes, since_s = [], 0.0
    for _ in range(round(2.4 / period_s)):
        since_s += period_s
        if since_s > hold_s:
            aim, since_s = rng.choice(pool), 0.0
        shown = between(shown, aim, -math.expm1(-period_s / constant_s))
        wishes.append(Wish(period_s, shown, aim if knows_aim else None))
    return wishes


def _jitter(rng: Random, period_s: float) -> list[Wish]:
    """Vary slightly around a colour, which may drift."""
    center, end = any_color(rng), any_color(rng)
    size = rng.choice((0.004, 0.01, 0.03, 0.1, 0.3))
    count = round(2.4 / period_s)
    wishes = []
    for i in range(count):
        color = between(center, end, rng.choice((0.0, i / count)))
        shaken = (min(1.0, max(0.0, c + rng.choice((-size, size)))) for c in color.channels)
        wishes.append(Wish(period_s, LightColor(*shaken)))
    return wishes


_PLANS = (_in_turn, _in_turn, _stairs, _fades, _fades, _jitter)


def plan(rng: Random) -> list[Wish]:
    """Return some seconds of wishes of one or two kinds."""
    wishes = rng.choice(_PLANS)(rng, rng.choice((0.01, 0.02, 0.02, 0.05, 0.1, 0.17)))
    if rng.random() < 0.3:
        wishes += rng.choice(_PLANS)(rng, 0.02)
    if rng.random() < 0.3:
        share = rng.uniform(0.0, 0.2)
        wishes = [Wish(wish.after_s, None) if rng.random() < share else wish for wish in wishes]
    return wishes[:_MOST_WISHES]


def limited(wishes: list[Wish], max_flashes: int = 3) -> tuple[list[float], list[LightColor]]:
    """Return the times and colours that the limiter lets through."""
    limiter = FlashLimiter()
    times_s, colors, now_s = [0.0], [OFF], 0.0
    for wish in wishes:
        now_s += wish.after_s
        times_s.append(now_s)
        if wish.color is None:
            colors.append(limiter.switch_off(now_s))
        else:
            colors.append(limiter.step(wish.color, now_s, max_flashes, wish.aim).color)
    return times_s, colors


def delivered(
    times_s: list[float], colors: list[LightColor], rng: Random, longest_s: float
) -> tuple[list[float], list[LightColor]]:
    """Return what a lamp shows behind a link with delays.

    The link carries one colour at a time, shown when sent or when confirmed; the newest one
    follows.

    :param longest_s: maximum time of the link for a colour, which is rare.
    """
    shown_s, shown = [times_s[0]], [colors[0]]
    free_s, i = times_s[0], 0
    while i < len(times_s) - 1:
        i += 1
        while i < len(times_s) - 1 and times_s[i + 1] <= free_s:
            i += 1
        leaves_s = max(times_s[i], free_s)
        free_s = leaves_s + rng.uniform(0.0, longest_s * rng.choice((0.02, 0.02, 0.1, 1.0)))
        shown_s.append(rng.choice((leaves_s, free_s)))
        shown.append(colors[i])
    return shown_s, shown


def replayed(
    times_s: list[float], colors: list[LightColor], rng: Random, longest_s: float
) -> tuple[list[float], list[LightColor]]:
    """Return what a lamp shows that stalls and then shows its queue.

    :param longest_s: maximum time for which it stands still.
    """
    shown_s, ends_s, next_s = [], -math.inf, rng.uniform(0.0, longest_s)
    for now_s in times_s:
        if now_s >= max(ends_s, next_s):
            ends_s = now_s + longest_s * rng.choice((1.0, 1.0, rng.random()))
            next_s = ends_s + rng.choice((0.0, 0.3, 1.0)) * rng.random()
        shown_s.append(max(now_s, ends_s))
    return shown_s, list(colors)


def check(rng: Random, wishes: list[Wish]) -> int:
    """Check the worst of random lamps behind a random link."""
    shown = limited(wishes)
    numbers = np.random.default_rng(rng.getrandbits(32))
    link = rng.choice((None, delivered, replayed))
    if link is not None:
        shown = link(*shown, rng, rng.choice((0.03, 0.2, 1.0, 2.0)))
    lamps = random_lamps(rng.choice(list(FORMS)), _LAMPS, numbers)
    return worst_flashes(*shown, lamps).flashes


def _prepare() -> Try:
    def try_one(rng: Random) -> None:
        wishes = plan(rng)
        flashes = check(rng, wishes)
        assert flashes <= 3, f"a lamp flashes {flashes} times in a second"

    return try_one


TARGETS = (Target("flashes", 3_000, _prepare),)
