# SPDX-License-Identifier: Apache-2.0
"""Region of interest for face detection."""

from __future__ import annotations

from dataclasses import dataclass

from ..face import RgbImage


@dataclass(frozen=True)
class RegionOfInterest:
    """A rectangle relative to the image's width and height.

    :raises ValueError: an edge lies outside [0, 1], or the region is empty.
    """

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.left < self.right <= 1.0:
            raise ValueError(
                f"the region reaches from {self.left} to {self.right} of the width: expected "
                "0 <= left < right <= 1"
            )
        if not 0.0 <= self.top < self.bottom <= 1.0:
            raise ValueError(
                f"the region reaches from {self.top} to {self.bottom} of the height: expected "
                "0 <= top < bottom <= 1"
            )

    def part(self, image: RgbImage) -> tuple[RgbImage, int, int]:
        """Return (part of ``image`` without a copy, left edge, top edge)."""
        height, width = image.shape[:2]
        left, top = int(self.left * width), int(self.top * height)
        right, bottom = max(left + 1, round(self.right * width)), round(self.bottom * height)
        return image[top : max(top + 1, bottom), left:right], left, top
