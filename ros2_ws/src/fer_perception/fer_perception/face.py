# SPDX-License-Identifier: Apache-2.0
"""Bounding box and landmarks of a detected face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LANDMARK_NAMES: Final = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
"""Order of the five landmarks; left and right as seen in the image."""

RgbImage = NDArray[np.uint8]
"""H x W x 3, red, green, blue."""


@dataclass(frozen=True)
class BoundingBox:
    """An upright rectangle in pixels; it may extend beyond the image.

    :ivar x: left edge.
    :ivar y: top edge.
    :ivar width: at least 0.
    :ivar height: at least 0.
    """

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Return the area in square pixels."""
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        """Return (x, y) of the centre in pixels."""
        return self.x + self.width / 2.0, self.y + self.height / 2.0

    def iou(self, other: BoundingBox) -> float:
        """Return the intersection over union with ``other``, in [0, 1]."""
        overlap_x = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        overlap_y = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        if overlap_x <= 0.0 or overlap_y <= 0.0:
            return 0.0
        intersection = overlap_x * overlap_y
        union = self.area + other.area - intersection
        return intersection / union if union > 0.0 else 0.0  # the areas can underflow

    def moved(self, dx: float, dy: float) -> BoundingBox:
        """Return the box ``dx`` pixels further right and ``dy`` further down."""
        return BoundingBox(self.x + dx, self.y + dy, self.width, self.height)

    def clipped(self, image_width: int, image_height: int) -> BoundingBox:
        """Return the part inside an image; its area is 0 when outside."""
        left = min(max(self.x, 0.0), float(image_width))
        top = min(max(self.y, 0.0), float(image_height))
        right = min(max(self.x + self.width, left), float(image_width))
        bottom = min(max(self.y + self.height, top), float(image_height))
        return BoundingBox(left, top, right - left, bottom - top)


@dataclass(frozen=True, eq=False)
class Face:
    """A detected face.

    :ivar box: its bounding box.
    :ivar confidence: of the detector, in [0, 1]; NaN where it reports none.
    :ivar landmarks: 5 x 2, (x, y) in pixels in the order of :data:`LANDMARK_NAMES`; NaN where
        the detector reports none.
    """

    box: BoundingBox
    confidence: float
    landmarks: NDArray[np.float32]

    def moved(self, dx: float, dy: float) -> Face:
        """Return the face ``dx`` pixels further right and ``dy`` further down."""
        shift = np.array([dx, dy], np.float32)
        return Face(self.box.moved(dx, dy), self.confidence, self.landmarks + shift)
