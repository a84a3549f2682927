# SPDX-License-Identifier: Apache-2.0
"""The seven classes, their order and their place on the circumplex."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

EMOTIONS: Final[tuple[str, ...]] = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
)
"""Class labels in the order of every score vector of this package."""

UNKNOWN: Final = "unknown"
"""Label of a face whose best score is below the confidence threshold."""

# Circumplex coordinates (valence, arousal), in [-1, 1]: neutral is the origin, the others have
# the angles of Russell (1980), "A circumplex model of affect", J. Pers. Soc. Psychol. 39(6), for
# the nearest of his terms (happy, astonished, sad, angry, disgusted as annoyed, afraid), on the
# unit circle.
_CIRCUMPLEX_ANGLE_DEG: Final[dict[str, float]] = {
    "happiness": 8.0,
    "surprise": 70.0,
    "sadness": 208.0,
    "anger": 99.0,
    "disgust": 139.0,
    "fear": 116.0,
}


def circumplex(label: str) -> tuple[float, float]:
    """Return (valence, arousal), each in [-1, 1], of one class.

    :raises ValueError: when ``label`` is not one of :data:`EMOTIONS`.
    """
    if label not in EMOTIONS:
        raise ValueError(f"unknown emotion {label!r}: expected one of {', '.join(EMOTIONS)}")
    if label not in _CIRCUMPLEX_ANGLE_DEG:
        return 0.0, 0.0
    angle = math.radians(_CIRCUMPLEX_ANGLE_DEG[label])
    return math.cos(angle), math.sin(angle)


def valence_arousal(scores: Sequence[float]) -> tuple[float, float]:
    """Return the probability-weighted mean (valence, arousal) of the classes.

    :param scores: one probability for each of :data:`EMOTIONS`, summing to 1.
    """
    points = [circumplex(label) for label in EMOTIONS]
    return (
        sum(float(s) * v for s, (v, _) in zip(scores, points, strict=True)),
        sum(float(s) * a for s, (_, a) in zip(scores, points, strict=True)),
    )


def normalized_entropy(scores: Sequence[float]) -> float:
    """Return the entropy of ``scores``, 1 for the uniform distribution."""
    entropy = -sum(float(s) * math.log(float(s)) for s in scores if s > 0.0)
    return min(1.0, max(0.0, entropy / math.log(len(EMOTIONS))))
