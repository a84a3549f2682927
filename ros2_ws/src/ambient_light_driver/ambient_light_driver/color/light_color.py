# SPDX-License-Identifier: Apache-2.0
"""Colours of a lamp: sRGB with a brightness, linear light, relative luminance."""

from __future__ import annotations

import math
from dataclasses import dataclass

Rgb = tuple[float, float, float]
"""Red, green, blue, each in [0, 1]; sRGB-encoded or linear as stated at the use."""


@dataclass(frozen=True, slots=True)
class LightColor:
    """The colour that a lamp shows.

    :param red: sRGB-encoded red in [0, 1]; likewise ``green`` and ``blue``.
    :param brightness: factor on the linear light in [0, 1]; 0 is off.
    """

    red: float
    green: float
    blue: float
    brightness: float = 1.0

    @property
    def rgb(self) -> Rgb:
        """The sRGB-encoded colour without the brightness."""
        return self.red, self.green, self.blue

    @property
    def channels(self) -> tuple[float, float, float, float]:
        """Red, green, blue (sRGB-encoded) and brightness."""
        return self.red, self.green, self.blue, self.brightness

    def linear_light(self) -> Rgb:
        """Return linear red, green and blue in [0, 1], proportional to power."""
        red, green, blue = (srgb_to_linear(value) for value in self.rgb)
        return red * self.brightness, green * self.brightness, blue * self.brightness

    def displayed_rgb(self) -> Rgb:
        """Return the light with its brightness as sRGB in [0, 1]."""
        red, green, blue = (linear_to_srgb(value) for value in self.linear_light())
        return red, green, blue

    def normalized(self) -> LightColor:
        """Return the same light with its largest channel at 1.

        The brightness is adjusted. For lamps that use only hue and saturation of red, green and
        blue. Black is :data:`OFF`.
        """
        linear = [srgb_to_linear(value) for value in self.rgb]
        peak = max(linear)
        if peak * self.brightness <= 0.0:
            return OFF
        red, green, blue = (linear_to_srgb(value / peak) for value in linear)
        return LightColor(red, green, blue, self.brightness * peak)

    def is_valid(self) -> bool:
        """Return whether all four numbers are finite and in [0, 1]."""
        return all(math.isfinite(value) and 0.0 <= value <= 1.0 for value in self.channels)


OFF = LightColor(0.0, 0.0, 0.0, 0.0)
"""No light."""


def srgb_to_linear(value: float) -> float:
    """Decode an sRGB channel to linear light, both in [0, 1] (IEC 61966-2-1)."""
    if value <= 0.04045:
        return value / 12.92
    return math.pow((value + 0.055) / 1.055, 2.4)


def linear_to_srgb(value: float) -> float:
    """Encode linear light as an sRGB channel, both in [0, 1] (IEC 61966-2-1)."""
    if value <= 0.0031308:
        return value * 12.92
    return 1.055 * math.pow(value, 1.0 / 2.4) - 0.055


def relative_luminance(linear: Rgb) -> float:
    """Return the relative luminance of linear RGB in [0, 1] (WCAG 2.2)."""
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def clamp_unit(value: float) -> float:
    """Return ``value`` limited to [0, 1]."""
    return min(max(value, 0.0), 1.0)
