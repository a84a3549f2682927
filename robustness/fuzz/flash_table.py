# SPDX-License-Identifier: Apache-2.0
"""Flashes behind the limiter in situations in which lamps flash.

All lamps are models of how they convert the colours they receive; the tests of the devices show
that real counterparts receive the colours in this form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np
from rich.table import Table

from ambient_light_driver.color.light_color import LightColor

from .lamps import LUMINANCE, Lamps, Worst, random_lamps, worst_flashes
from .targets.flashes import Wish, delivered, limited, plan, replayed

NAME = "flashes"
"""Target whose runs append this table."""

PLANS = 24
"""Attacks on each situation."""

_RANDOM_LAMPS = 1000

Record = tuple[list[float], list[LightColor]]


@dataclass(frozen=True)
class Situation:
    """One row.

    :ivar name: property of the lamp or the link.
    :ivar lamps: conversion of colours to light.
    :ivar link: returns the received colours and their times.
    """

    name: str
    lamps: Lamps
    link: Callable[[Record, Random], Record] = lambda record, rng: record


def _same(form: str, exponent: float, level_exponent: float = 1.0) -> Lamps:
    """Return a lamp of sRGB luminance, and one per single channel."""
    channels = 4 if form == "white" else 3
    weights = np.vstack((np.array(LUMINANCE[:channels]), np.eye(channels)))
    weights /= weights.sum(axis=1, keepdims=True)
    shape = (len(weights), channels)
    return Lamps(
        form, np.full(shape, exponent), np.full((len(weights), 1, 1), level_exponent), weights
    )


def _stalling(longest_s: float) -> Callable[[Record, Random], Record]:
    def link(record: Record, rng: Random) -> Record:
        return delivered(*record, rng, longest_s)

    return link


def _queueing(longest_s: float) -> Callable[[Record, Random], Record]:
    def link(record: Record, rng: Random) -> Record:
        return replayed(*record, rng, longest_s)

    return link


def _blue(lamps: Lamps) -> Lamps:
    return Lamps(lamps.form, lamps.exponents[3:], lamps.level_exponents[3:], lamps.weights[3:])


def situations() -> tuple[Situation, ...]:
    """Return the rows."""
    numbers = np.random.default_rng(0)
    return (
        Situation("fixtures of one universe, merged into one packet", _same("linear", 1.0)),
        Situation("serial line that stalls for 7 s", _same("linear", 1.0), _stalling(7.0)),
        Situation("ring that the light keeps while it is dark", _same("linear", 1.0)),
        Situation("firmware without gamma, multiplied", _same("multiplied", 1.0)),
        Situation("DMX fixtures of curve 2.2", _same("linear", 2.2)),
        Situation("DMX fixtures of curve 2.8", _same("linear", 2.8)),
        Situation("DMX fixtures of curve 3, red apart", _same("linear", 3.0)),
        Situation("WLED, gamma 2.8 of the colour", _same("apart", 2.8)),
        Situation("ESPHome, gamma 2.8 of both", _same("apart", 2.8, 2.8)),
        Situation("RGBD fixtures of curve 2.8", _same("dimmer", 2.8, 2.8)),
        Situation("RGBD fixtures, linear dimmer", _same("dimmer", 2.8, 1.0)),
        Situation("RGBW fixtures", _same("white", 1.0)),
        Situation("RGBW fixtures of curve 2.8", _same("white", 2.8)),
        Situation("LIFX and Hue without a fade of their own", _same("apart, encoded", 2.2, 2.2)),
        Situation("link that stalls for up to 0.2 s", _same("apart", 2.2), _stalling(0.2)),
        Situation("link that stalls for up to 1 s", _same("apart", 2.2), _stalling(1.0)),
        Situation("link that stalls for up to 2 s", _same("apart", 2.2), _stalling(2.0)),
        *(
            Situation(
                f"receiver that stands still for up to {longest_s:g} s, then shows its queue",
                _same("apart", 2.2),
                _queueing(longest_s),
            )
            for longest_s in (0.4, 1.0, 2.5)
        ),
        Situation("pure blue", _blue(_same("linear", 1.0))),
        *(
            Situation(
                f"{_RANDOM_LAMPS // 8} random lamps: {form}",
                random_lamps(form, _RANDOM_LAMPS // 8, numbers),
            )
            for form in (
                "linear",
                "gamma 3",
                "displayed",
                "apart",
                "apart, encoded",
                "multiplied",
                "dimmer",
                "white",
            )
        ),
    )


def _wishes(rng: Random) -> list[Wish]:
    """Return a strobe between two colours, or another plan."""
    if rng.random() < 0.5:
        return plan(rng)
    one, other = (LightColor(*(rng.random() for _ in "rgbl")) for _ in "12")
    period_s = rng.choice((0.1, 0.05, 0.02))
    return [Wish(period_s, (one, other)[i % 2]) for i in range(round(3.0 / period_s))]


def worst_of(situation: Situation, seed: int, plans: int) -> Worst:
    """Return the worst second of several plans."""
    found = []
    for number in range(plans):
        rng = Random(f"{situation.name}:{seed}:{number}")
        record = situation.link(limited(_wishes(rng)), rng)
        found.append(worst_flashes(*record, situation.lamps))
    return Worst(max(w.general for w in found), max(w.red for w in found))


def table(seed: int, plans: int) -> tuple[Table, int]:
    """Return the table and the flashes of its worst row."""
    shown = Table(title="Flash pairs in the worst second (at most 3 are allowed)")
    shown.add_column("situation (all modelled)")
    for column in ("general", "red"):
        shown.add_column(column, justify="right")
    worst = 0
    for situation in situations():
        flashes = worst_of(situation, seed, plans)
        shown.add_row(situation.name, str(flashes.general), str(flashes.red))
        worst = max(worst, flashes.flashes)
    return shown, worst
