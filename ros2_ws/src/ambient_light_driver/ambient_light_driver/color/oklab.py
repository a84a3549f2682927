# SPDX-License-Identifier: Apache-2.0
"""Oklab, a perceptually uniform colour space, for mixing and fading.

Source of the matrices: Björn Ottosson, 'A perceptual color space for image processing', 2020,
https://bottosson.github.io/posts/oklab/ (public domain).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ambient_light_driver.color.light_color import (
    LightColor,
    clamp_unit,
    linear_to_srgb,
    srgb_to_linear,
)


@dataclass(frozen=True, slots=True)
class OklabLight:
    """A lamp's colour in Oklab with its brightness, which can be averaged.

    :param lightness: Oklab L, 0 for black and 1 for white.
    :param a: Oklab a, green (negative) to red (positive), about [-0.4, 0.4].
    :param b: Oklab b, blue (negative) to yellow (positive), about [-0.4, 0.4].
    :param brightness: factor on the linear light in [0, 1].
    """

    lightness: float
    a: float
    b: float
    brightness: float

    @property
    def chroma(self) -> float:
        """Distance from grey; about 0.3 for the purest sRGB colours."""
        return math.hypot(self.a, self.b)

    @classmethod
    def from_color(cls, color: LightColor) -> OklabLight:
        """Convert a colour; its brightness stays separate."""
        red, green, blue = (srgb_to_linear(value) for value in color.rgb)
        long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
        medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
        short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
        return cls(
            0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
            1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
            0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
            color.brightness,
        )

    def to_color(self) -> LightColor:
        """Convert to sRGB, clipping channels outside of the gamut.

        Means of colours inside the gamut leave it only slightly, since the gamut is nearly convex
        in Oklab.
        """
        long = (self.lightness + 0.3963377774 * self.a + 0.2158037573 * self.b) ** 3
        medium = (self.lightness - 0.1055613458 * self.a - 0.0638541728 * self.b) ** 3
        short = (self.lightness - 0.0894841775 * self.a - 1.2914855480 * self.b) ** 3
        linear = (
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        )
        red, green, blue = (clamp_unit(linear_to_srgb(clamp_unit(value))) for value in linear)
        return LightColor(red, green, blue, clamp_unit(self.brightness))

    def moved_towards(self, target: OklabLight, fraction: float) -> OklabLight:
        """Interpolate linearly towards ``target`` by ``fraction`` in [0, 1]."""
        keep = 1.0 - fraction
        return OklabLight(
            keep * self.lightness + fraction * target.lightness,
            keep * self.a + fraction * target.a,
            keep * self.b + fraction * target.b,
            keep * self.brightness + fraction * target.brightness,
        )

    def distance(self, other: OklabLight) -> float:
        """Return the largest difference of the four numbers."""
        return max(
            abs(self.lightness - other.lightness),
            abs(self.a - other.a),
            abs(self.b - other.b),
            abs(self.brightness - other.brightness),
        )


def weighted_mean(lights: Iterable[OklabLight], weights: Iterable[float]) -> OklabLight:
    """Return the mean of ``lights``; the non-negative ``weights`` sum to 1."""
    lightness = a = b = brightness = 0.0
    for light, weight in zip(lights, weights, strict=True):
        lightness += weight * light.lightness
        a += weight * light.a
        b += weight * light.b
        brightness += weight * light.brightness
    return OklabLight(lightness, a, b, brightness)
