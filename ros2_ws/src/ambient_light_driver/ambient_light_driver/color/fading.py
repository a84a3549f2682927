# SPDX-License-Identifier: Apache-2.0
"""Temporal smoothing: dwell time of targets and exponential fade."""

from __future__ import annotations

import math
from typing import Generic, TypeVar

from ambient_light_driver.color.root_light import RootLight
from fer_common.resettable_clock import Stopwatch

T = TypeVar("T")

ARRIVED = 1e-4
"""Distance below which a fade counts as finished; 8-bit lamps cannot show less."""


class DwellGate(Generic[T]):
    """Delay a change of kind until the new kind has lasted.

    :param kind: the first kind, for example an emotion's name.
    :param value: the first value.
    """

    def __init__(self, kind: str, value: T) -> None:
        self.kind = kind
        self.value = value
        self._candidate = kind
        self._candidate_age = Stopwatch(0.0)

    def adopt(self, kind: str, value: T) -> T:
        """Set ``kind`` and ``value`` at once and return the value."""
        self.kind = self._candidate = kind
        self.value = value
        return value

    def step(self, kind: str, value: T, dwell_s: float, now_s: float) -> T:
        """Return the current value: same kind at once, another kind delayed.

        :param dwell_s: how long another kind must last without interruption [s].
        """
        if kind == self.kind:
            return self.adopt(kind, value)
        if kind != self._candidate:
            self._candidate = kind
            self._candidate_age.restart(now_s)
        if self._candidate_age.seconds(now_s) >= dwell_s:
            return self.adopt(kind, value)
        return self.value


class ExponentialFade:
    """First-order low pass of a light, on a straight path.

    :param light: where the fade starts.
    """

    def __init__(self, light: RootLight) -> None:
        self.light = light
        self._clock: Stopwatch | None = None

    def step(self, target: RootLight, time_constant_s: float, now_s: float) -> RootLight:
        """Move towards ``target`` for the time since the last step.

        :param time_constant_s: time for 63 % of the way [s]; 0 jumps.
        """
        if self._clock is None:
            self._clock = Stopwatch(now_s)
        elapsed_s = self._clock.lap_s(now_s)
        if time_constant_s <= 0.0:
            self.light = target
        else:
            fraction = -math.expm1(-elapsed_s / time_constant_s)
            moved = self.light.moved_towards(target, fraction)
            self.light = target if moved.distance(target) < ARRIVED else moved
        return self.light
