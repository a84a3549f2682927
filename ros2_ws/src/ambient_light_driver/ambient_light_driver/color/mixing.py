# SPDX-License-Identifier: Apache-2.0
"""From a probability vector to a colour."""

from __future__ import annotations

from collections.abc import Sequence

from ambient_light_driver.color.light_color import clamp_unit
from ambient_light_driver.color.oklab import OklabLight, weighted_mean
from ambient_light_driver.color.palette import NEUTRAL, Palette


def sharpened(probabilities: Sequence[float], sharpness: float) -> tuple[float, ...]:
    """Raise ``probabilities`` to the power ``sharpness`` and normalise to sum 1.

    :param probabilities: numbers in [0, 1], at least one above 0.
    :param sharpness: 1 leaves them, more favours the top class, less levels them; above 0.
    """
    largest = max(probabilities)
    # Relative to the largest, so that no power of a small probability can make all vanish.
    powers = [(value / largest) ** sharpness for value in probabilities]
    total = sum(powers)
    return tuple(value / total for value in powers)


def saturation(confidence: float, class_count: int, full_at: float) -> float:
    """Return how far the colour stands from neutral, in [0, 1].

    :param confidence: highest probability, in [1 / class_count, 1].
    :param full_at: confidence from which on the colour is shown in full.
    :returns: 0 when all classes are equally likely, rising linearly to 1 at ``full_at``.
    """
    chance = 1.0 / class_count
    return clamp_unit((confidence - chance) / (full_at - chance))


def mixed_light(
    palette: Palette, scores: Sequence[float], sharpness: float, full_saturation_confidence: float
) -> OklabLight:
    """Mix the palette's colours by probability; low confidence fades to neutral.

    :param scores: probability of each emotion in the order of ``palette.emotions``.
    """
    lights = [OklabLight.from_color(color) for color in palette.emotions.values()]
    mean = weighted_mean(lights, sharpened(scores, sharpness))
    neutral = OklabLight.from_color(palette.emotions[NEUTRAL])
    return neutral.moved_towards(
        mean, saturation(max(scores), len(scores), full_saturation_confidence)
    )
