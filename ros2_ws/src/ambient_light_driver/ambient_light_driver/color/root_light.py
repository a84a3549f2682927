# SPDX-License-Identifier: Apache-2.0
"""Cube roots of a light's channels, the space of fades.

Equal steps look about equal, as in Oklab, and every lamp's light is convex along a straight line,
as the flash limiter requires.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ambient_light_driver.color.light_color import (
    OFF,
    LightColor,
    clamp_unit,
    linear_to_srgb,
)


@dataclass(frozen=True, slots=True)
class RootLight:
    """A light as a point; the origin is darkness.

    :param red: cube root of the linear light of red in [0, 1]; likewise ``green`` and ``blue``.
    """

    red: float
    green: float
    blue: float

    @property
    def channels(self) -> tuple[float, float, float]:
        """Red, green and blue."""
        return self.red, self.green, self.blue

    @property
    def peak(self) -> float:
        """The largest channel."""
        return max(self.channels)

    @property
    def hue(self) -> tuple[float, float, float]:
        """The channels relative to the largest one; zeros for darkness."""
        peak = self.peak
        if peak <= 0.0:
            return 0.0, 0.0, 0.0
        return self.red / peak, self.green / peak, self.blue / peak

    @classmethod
    def from_color(cls, color: LightColor) -> RootLight:
        """Convert a colour with its brightness."""
        red, green, blue = (math.cbrt(value) for value in color.linear_light())
        return cls(red, green, blue)

    def to_color(self) -> LightColor:
        """Convert to a normalised sRGB colour and a brightness."""
        peak = self.peak
        if peak <= 0.0:
            return OFF
        red, green, blue = (
            clamp_unit(linear_to_srgb(clamp_unit((value / peak) ** 3))) for value in self.channels
        )
        return LightColor(red, green, blue, clamp_unit(peak**3))

    def moved_towards(self, target: RootLight, fraction: float) -> RootLight:
        """Interpolate linearly towards ``target`` by ``fraction`` in [0, 1]."""
        keep = 1.0 - fraction
        return RootLight(
            keep * self.red + fraction * target.red,
            keep * self.green + fraction * target.green,
            keep * self.blue + fraction * target.blue,
        )

    def distance(self, other: RootLight) -> float:
        """Return the largest difference of a channel."""
        return max(abs(a - b) for a, b in zip(self.channels, other.channels, strict=True))


DARK = RootLight(0.0, 0.0, 0.0)
"""No light."""
