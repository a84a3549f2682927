# SPDX-License-Identifier: Apache-2.0
"""Rotate the images of a rotated camera upright, and faces back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..face import BoundingBox, Face, RgbImage
from .region import RegionOfInterest

ROTATIONS_DEG: Final = (0, 90, 180, 270)

_CODES: Final = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


@dataclass(frozen=True)
class Rotation:
    """A rotation that brings faces upright.

    Points use the coordinates of box edges: 0 is the left edge of the first pixel, the width the
    right edge of the last.

    :ivar degrees: clockwise, one of :data:`ROTATIONS_DEG`.
    :raises ValueError: for another angle.
    """

    degrees: int = 0

    def __post_init__(self) -> None:
        if self.degrees not in ROTATIONS_DEG:
            expected = ", ".join(map(str, ROTATIONS_DEG))
            raise ValueError(f"rotation is {self.degrees} degrees: expected one of {expected}")

    @property
    def inverse(self) -> Rotation:
        """Return the inverse rotation."""
        return Rotation(-self.degrees % 360)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height) of an image after the rotation."""
        return (height, width) if self.degrees in (90, 270) else (width, height)

    def image(self, image: RgbImage) -> RgbImage:
        """Return ``image`` rotated; the same object for 0 degrees."""
        return cv2.rotate(image, _CODES[self.degrees]) if self.degrees else image

    def points(
        self, points: NDArray[np.floating], width: float, height: float
    ) -> NDArray[np.floating]:
        """Return ``points``, N x 2, after the rotation."""
        x, y = points[:, 0], points[:, 1]
        if self.degrees == 90:
            return np.column_stack((height - y, x))
        if self.degrees == 180:
            return np.column_stack((width - x, height - y))
        if self.degrees == 270:
            return np.column_stack((y, width - x))
        return points

    def box(self, box: BoundingBox, width: float, height: float) -> BoundingBox:
        """Return ``box`` after the rotation."""
        corners = np.array([[box.x, box.y], [box.x + box.width, box.y + box.height]])
        turned = self.points(corners, width, height)
        (left, top), (right, bottom) = turned.min(axis=0).tolist(), turned.max(axis=0).tolist()
        return BoundingBox(left, top, right - left, bottom - top)

    def region(self, region: RegionOfInterest) -> RegionOfInterest:
        """Return ``region`` after the rotation."""
        box = BoundingBox(
            region.left, region.top, region.right - region.left, region.bottom - region.top
        )
        box = self.box(box, 1.0, 1.0).clipped(1, 1)
        return RegionOfInterest(box.x, box.y, box.x + box.width, box.y + box.height)

    def face(self, face: Face, width: int, height: int) -> Face:
        """Return ``face`` after the rotation.

        The order of the landmarks is kept: the left eye is at the left of the upright face.
        """
        landmarks = self.points(face.landmarks, width, height).astype(np.float32)
        return Face(self.box(face.box, width, height), face.confidence, landmarks)

    def to_original(self, face: Face, width: int, height: int) -> Face:
        """Map a face of the rotated image to the original one.

        :param width: of the original image.
        :param height: of the original image.
        """
        return self.inverse.face(face, *self.size(width, height)) if self.degrees else face
