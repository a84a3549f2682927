# SPDX-License-Identifier: Apache-2.0
"""Faces in one image, as the light uses them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ambient_light_driver.color.palette import emotion_names


@dataclass(frozen=True, slots=True)
class FaceObservation:
    """One face in one image.

    :param face_id: the tracker's name of the face; may be empty.
    :param scores: probability of each emotion, in the order of
        :func:`ambient_light_driver.color.palette.emotion_names`; sums to 1.
    :param area_px: area of the face's bounding box in pixels.
    :param center_distance: distance of the box's centre from the image's centre, divided by
        half of the image's diagonal: 0 in the centre, 1 in a corner.
    """

    face_id: str
    scores: tuple[float, ...]
    area_px: float
    center_distance: float


def normalized_scores(scores: Sequence[float], count: int) -> tuple[float, ...] | None:
    """Return ``scores`` divided by their sum, or None where that is impossible.

    :param count: number of emotions expected.
    :returns: ``count`` numbers in [0, 1] that sum to 1; None for a wrong number of scores, a
        negative, infinite or undefined one, or a sum of zero.
    """
    values = [float(value) for value in scores]
    if len(values) != count or not all(math.isfinite(v) and v >= 0.0 for v in values):
        return None
    largest = max(values)
    if largest <= 0.0:
        return None
    # Dividing by the largest first keeps the sum away from overflow and from denormals.
    scaled = [value / largest for value in values]
    total = math.fsum(scaled)
    return tuple(value / total for value in scaled)


def observed_face(
    face_id: str,
    scores: Sequence[float],
    box: tuple[float, float, float, float],
    image_size: tuple[float, float],
) -> FaceObservation | None:
    """Return a face for the light, or None when its scores are not a distribution.

    :param scores: probability of each emotion, in the order of
        :func:`ambient_light_driver.color.palette.emotion_names`.
    :param box: x, y, width and height of its bounding box in the image [px].
    :param image_size: width and height of the image [px].
    """
    normalized = normalized_scores(scores, len(emotion_names()))
    if normalized is None:
        return None
    x, y, width, height = box
    image_width, image_height = image_size
    distance = math.hypot(x + 0.5 * (width - image_width), y + 0.5 * (height - image_height))
    half_diagonal = 0.5 * math.hypot(image_width, image_height)
    return FaceObservation(
        face_id=face_id,
        scores=normalized,
        area_px=float(width) * float(height),
        center_distance=distance / max(half_diagonal, 1.0),
    )
