# SPDX-License-Identifier: Apache-2.0
"""Light as the cube roots of its channels, the space in which colours fade.

Equal steps look about equal, as in Oklab, and every lamp's light is convex along a straight way:
the flash limiter's argument rests on that.
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
        """The channels relative to the largest one; of darkness three zeros."""
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
        """Convert to sRGB at its brightest and a brightness, so that each light is one colour."""
        peak = self.peak
        if peak <= 0.0:
            return OFF
        red, green, blue = (
            clamp_unit(linear_to_srgb(clamp_unit((value / peak) ** 3))) for value in self.channels
        )
        return LightColor(red, green, blue, clamp_unit(peak**3))

    def moved_towards(self, target: RootLight, fraction: float) -> RootLight:
        """Return the point ``fraction`` of the straight way to ``target`` (0 stay, 1 arrive)."""
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
