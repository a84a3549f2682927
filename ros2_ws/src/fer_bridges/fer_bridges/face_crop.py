# SPDX-License-Identifier: Apache-2.0
"""Crop faces from colour images according to REP-155."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_perception.face import BoundingBox, RgbImage
from fer_perception.recognition.alignment import similarity_transform

# Positions of eyes and corners of the mouth, as shares of the aligned picture.
_ALIGNED_LANDMARKS = np.array(
    [[0.30, 0.36], [0.70, 0.36], [0.50, 0.57], [0.34, 0.76], [0.66, 0.76]]
)


def cropped(image: RgbImage, box: BoundingBox, size: tuple[int, int]) -> RgbImage:
    """Crop ``box`` and scale it to ``size`` (width, height) in pixels.

    The box is extended to the aspect ratio of ``size``, so that faces are not stretched; parts
    outside the image are black.
    """
    width, height = size
    center_x, center_y = box.center
    scale = max(box.width / width, box.height / height, 1e-3)
    to_image = np.array(
        [
            [scale, 0.0, center_x - scale * width / 2.0],
            [0.0, scale, center_y - scale * height / 2.0],
        ]
    )
    return _warped(image, to_image, size)


def aligned(
    image: RgbImage, landmarks: NDArray[np.floating], size: tuple[int, int]
) -> RgbImage | None:
    """Return the face aligned by its landmarks, ``size`` in pixels.

    :param landmarks: 5 x 2 in the order of :data:`~fer_perception.face.LANDMARK_NAMES`.
    :param size: (width, height).
    :returns: None with fewer than two known landmarks.
    """
    known = np.isfinite(landmarks).all(axis=1)
    if known.sum() < 2 or np.ptp(landmarks[known], axis=0).max() <= 0.0:
        return None
    target = _ALIGNED_LANDMARKS[known] * np.array(size)
    return _warped(image, similarity_transform(target, landmarks[known]), size)


def _warped(image: RgbImage, to_image: NDArray[np.float64], size: tuple[int, int]) -> RgbImage:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, to_image, size, flags=flags), np.uint8)
