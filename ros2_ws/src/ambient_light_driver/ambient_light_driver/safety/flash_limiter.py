# SPDX-License-Identifier: Apache-2.0
"""Keeps a lamp from flashing: the last stage before a colour leaves for the lamps.

WCAG 2.2, success criterion 2.3.1: no more than three general flashes and three red flashes
within any one second. A general flash is a pair of opposing changes of relative luminance of
0.10 or more (the darker below 0.80); a red flash is a pair of opposing changes of
(R - G - B) * 320 of more than 20 that involve a saturated red (R / (R + G + B) >= 0.8), all of
linear light. https://www.w3.org/TR/WCAG22/#dfn-general-flash-and-red-flash-thresholds

This limiter is stricter than the standard in five ways, each of which makes it simpler or
robust: it counts bright swings (darker above 0.80) and unsaturated reds too; its thresholds are
lower, so that rounding to 8 bit cannot lift a swing above the standard's; its window is longer,
so that a late packet cannot push two changes together; it counts a swing until its last moment,
not its first; and it bounds every common reading of the published message, since a consumer may
ignore the brightness or treat sRGB numbers as linear.

Why it holds: a signal is cut into legs at its turning points, where a turn is a change of
direction by the threshold. A new leg may begin only while fewer than twice the allowed number of
flashes have ended within the window; until then the colour stays where it has not turned yet.
Each swing inside of any window lies in a leg of its own that ends in the window, so there are at
most that many swings, hence flashes. Leaving out samples (a slow lamp) adds no swing.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ambient_light_driver.color.light_color import (
    OFF,
    LightColor,
    Rgb,
    linear_to_srgb,
    relative_luminance,
    srgb_to_linear,
)

MAX_FLASHES = 3
"""Flashes that the standard allows in one window; this module never allows more."""

WINDOW_S = 1.0 + 0.1
"""The standard's second and a margin for late packets [s]."""

LUMINANCE_THRESHOLD = 0.08
"""Change of relative luminance that counts as a swing; the standard says 0.10.

Rounding to 8 bit at both ends of a swing adds at most 2 * 4 / 510 = 0.016: half a step each, times
4, the slope of the steepest dimming curve that a lamp can be set to have."""

RED_THRESHOLD = 12.0 / 320.0
"""Change of max(0, R - G - B) that counts as a swing; the standard says 20 / 320.

Rounding to 8 bit adds less than 8 / 320, since all three channels are rounded: with that curve,
at saturated red, 2 * (4 + 2 * 0.84) / 510 = 7.2 / 320."""

_BISECTIONS = 10


class SwingCounter:
    """Finds the turning points of one signal and counts the legs between them.

    :param threshold: smallest change that makes a turn.
    :param value: first value of the signal.
    """

    def __init__(self, threshold: float, value: float) -> None:
        self._threshold = threshold
        self._low = self._high = value
        self._direction = 0
        self._leg_ends_s: deque[float] = deque()

    def turns(self, value: float) -> bool:
        """Return whether ``value`` would begin a new leg."""
        rises = self._direction <= 0 and value - self._low >= self._threshold
        falls = self._direction >= 0 and self._high - value >= self._threshold
        return rises or falls

    def legs_in_window(self, now_s: float) -> int:
        """Return the number of legs that moved within the last :data:`WINDOW_S`."""
        while self._leg_ends_s and now_s - self._leg_ends_s[0] > WINDOW_S:
            self._leg_ends_s.popleft()
        return len(self._leg_ends_s)

    def add(self, value: float, now_s: float) -> None:
        """Append ``value`` to the signal."""
        if self.turns(value):
            self._direction = 1 if value > self._low and self._direction <= 0 else -1
            self._low = self._high = value
            self._leg_ends_s.append(now_s)
            return
        extends = (self._direction > 0 and value > self._high) or (
            self._direction < 0 and value < self._low
        )
        self._low = min(self._low, value) if self._direction <= 0 else self._low
        self._high = max(self._high, value) if self._direction >= 0 else self._high
        if extends:
            if self._leg_ends_s:
                self._leg_ends_s.pop()
            self._leg_ends_s.append(now_s)


def _redness(linear: Rgb) -> float:
    return max(0.0, linear[0] - linear[1] - linear[2])


def _documented(color: LightColor) -> Rgb:
    """Read the message as it is documented: the brightness scales the light."""
    return color.linear_light()


def _without_brightness(color: LightColor) -> Rgb:
    """Read it as a consumer does that drops the fourth number."""
    red, green, blue = (srgb_to_linear(value) for value in color.rgb)
    return red, green, blue


def _as_duty_cycle(color: LightColor) -> Rgb:
    """Read sRGB numbers times brightness as the power of LEDs."""
    red, green, blue = (value * color.brightness for value in color.rgb)
    return red, green, blue


def _scaled_before_decoding(color: LightColor) -> Rgb:
    """Read it as a consumer does that scales sRGB numbers for a screen."""
    red, green, blue = (srgb_to_linear(value * color.brightness) for value in color.rgb)
    return red, green, blue


def _full_scale_duty_cycle(color: LightColor) -> Rgb:
    """Read sRGB numbers as the power of LEDs, and drop the brightness."""
    return color.rgb


def _displayed_as_duty_cycle(color: LightColor) -> Rgb:
    """Read the colour of a screen (:meth:`LightColor.displayed_rgb`) as the power of LEDs."""
    return color.displayed_rgb()


def _hue_and_encoded_brightness(color: LightColor) -> Rgb:
    """Read it as a lamp does that gets hue, saturation and a screen's brightness (Hue, LIFX)."""
    shown = color.normalized()
    red, green, blue = (srgb_to_linear(value) for value in shown.rgb)
    level = linear_to_srgb(shown.brightness)
    return red * level, green * level, blue * level


def _hue_and_decoded_brightness(color: LightColor) -> Rgb:
    """Read it as a lamp does that gets hue and saturation, and dims by a curve of its own."""
    shown = color.normalized()
    red, green, blue = (srgb_to_linear(value) for value in shown.rgb)
    level = srgb_to_linear(shown.brightness)
    return red * level, green * level, blue * level


READINGS: tuple[Callable[[LightColor], Rgb], ...] = (
    _documented,
    _without_brightness,
    _as_duty_cycle,
    _scaled_before_decoding,
    _full_scale_duty_cycle,
    _displayed_as_duty_cycle,
    _hue_and_encoded_brightness,
    _hue_and_decoded_brightness,
)
"""Ways from the published colour to linear light that consumers are known to take."""


@dataclass(frozen=True, slots=True)
class LimitedColor:
    """What may be shown now.

    :param color: the wanted colour, or the nearest one on the way to it that does not flash.
    :param limited: whether it differs from the wanted colour.
    """

    color: LightColor
    limited: bool


class FlashLimiter:
    """Limits a stream of colours to ``max_flashes`` general and red flashes in any second.

    Keep one limiter for the whole life of the lamps, over every change of settings. Start: off.
    """

    def __init__(self) -> None:
        self._shown = OFF
        self._now_s = -math.inf
        self._interventions = 0
        self._limiting = False
        self._counters = [
            (
                reading,
                SwingCounter(LUMINANCE_THRESHOLD, relative_luminance(reading(OFF))),
                SwingCounter(RED_THRESHOLD, _redness(reading(OFF))),
            )
            for reading in READINGS
        ]

    @property
    def shown(self) -> LightColor:
        """The colour that was let through last."""
        return self._shown

    @property
    def interventions(self) -> int:
        """How often the limiter had to begin holding a colour back."""
        return self._interventions

    def step(
        self, wanted: LightColor, monotonic_s: float, max_flashes: int = MAX_FLASHES
    ) -> LimitedColor:
        """Return the colour to show now in place of ``wanted``.

        :param monotonic_s: a clock that no one can set, such as :func:`time.monotonic` [s]; a
            step back counts as no time.
        :param max_flashes: flashes allowed in the window, 1 to :data:`MAX_FLASHES`.
        :raises ValueError: for any other ``max_flashes``: the standard cannot be loosened.
        """
        if not 1 <= max_flashes <= MAX_FLASHES:
            raise ValueError(f"max_flashes: expected 1 to {MAX_FLASHES}, got {max_flashes}")
        if math.isfinite(monotonic_s):
            self._now_s = max(self._now_s, monotonic_s)
        if not wanted.is_valid():
            wanted = self._shown
        color = self._nearest_allowed(wanted, 2 * max_flashes)
        limited = color != wanted
        self._interventions += limited and not self._limiting
        self._limiting = limited
        self._show(color)
        return LimitedColor(color, limited)

    def switch_off(self, monotonic_s: float) -> LightColor:
        """Return black at once, as a lamp must be able to go out; coming back is limited."""
        self._now_s = max(self._now_s, monotonic_s)
        self._limiting = False
        self._show(OFF)
        return OFF

    def _show(self, color: LightColor) -> None:
        self._shown = color
        for reading, luminance, redness in self._counters:
            linear = reading(color)
            luminance.add(relative_luminance(linear), self._now_s)
            redness.add(_redness(linear), self._now_s)

    def _nearest_allowed(self, wanted: LightColor, max_legs: int) -> LightColor:
        if self._is_allowed(wanted, max_legs):
            return wanted
        # Staying is always allowed; find by bisection how far the way to 'wanted' is, too.
        allowed, refused = 0.0, 1.0
        best = self._shown
        for _ in range(_BISECTIONS):
            fraction = 0.5 * (allowed + refused)
            candidate = _between(self._shown, wanted, fraction)
            if self._is_allowed(candidate, max_legs):
                allowed, best = fraction, candidate
            else:
                refused = fraction
        return best

    def _is_allowed(self, color: LightColor, max_legs: int) -> bool:
        for reading, luminance, redness in self._counters:
            linear = reading(color)
            for counter, value in (
                (luminance, relative_luminance(linear)),
                (redness, _redness(linear)),
            ):
                if counter.turns(value) and counter.legs_in_window(self._now_s) >= max_legs:
                    return False
        return True


def _between(start: LightColor, end: LightColor, fraction: float) -> LightColor:
    keep = 1.0 - fraction
    red, green, blue, brightness = (
        keep * a + fraction * b for a, b in zip(start.channels, end.channels, strict=True)
    )
    return LightColor(red, green, blue, brightness)
