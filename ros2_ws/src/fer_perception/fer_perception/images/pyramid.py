# SPDX-License-Identifier: Apache-2.0
"""Image pyramid: each size is computed from the nearest larger one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

HALVING_GRID_PX: Final = 64
"""A part of an image that begins at multiples of this has the same pixels in its halvings as the
whole image, down to a 64th of the size."""


class ImagePyramid:
    """An image and its halvings, for scaling without aliasing.

    Scaling each size from the full image costs four times as much.

    :param image: H x W, grey, or H x W x 3.
    """

    def __init__(self, image: NDArray[np.uint8]) -> None:
        self._levels = [image]

    @property
    def image(self) -> NDArray[np.uint8]:
        """Return the image at full size."""
        return self._levels[0]

    def _level_for(self, scale: float) -> tuple[NDArray[np.uint8], float]:
        """Return the smallest sufficient halving for ``scale``, and its scale."""
        index = 0
        while 0.5 ** (index + 1) >= scale:
            index += 1
            if index == len(self._levels):
                previous = self._levels[-1]
                height, width = previous.shape[:2]
                if min(height, width) < 2:
                    index -= 1
                    break
                # An odd row or column is dropped, so that each halving is exact: the
                # mean of 2 x 2 pixels, which is also the fastest there is.
                self._levels.append(
                    cv2.resize(
                        previous[: height // 2 * 2, : width // 2 * 2],
                        (width // 2, height // 2),
                        interpolation=cv2.INTER_AREA,
                    )
                )
        return self._levels[index], 0.5**index

    def scaled(self, scale: float) -> NDArray[np.uint8]:
        """Return the image shrunk by ``scale`` <= 1, at least 1 x 1."""
        height, width = self.image.shape[:2]
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        level, _ = self._level_for(scale)
        if (level.shape[1], level.shape[0]) == size:
            return level
        return cv2.resize(level, size, interpolation=cv2.INTER_LINEAR)

    def warped(self, matrix: NDArray[np.float64], side_px: int) -> NDArray[np.uint8]:
        """Return a square of ``side_px`` pixels sampled without aliasing; black outside.

        :param matrix: 2 x 3, maps a pixel (u, v) of the square to one (x, y) of the full image;
            integers are pixel centres.
        """
        step = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
        level, scale = self._level_for(min(1.0, 1.0 / max(step, 1e-6)))
        # Pixel centres of a halved image lie between those of the full one.
        shift = 0.5 * scale - 0.5
        scaled = matrix * scale
        scaled[:, 2] += shift
        return cv2.warpAffine(
            level,
            scaled,
            (side_px, side_px),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
        )

    def squares(self, boxes: NDArray[np.float32], side_px: int) -> NDArray[np.uint8]:
        """Return the square regions ``boxes`` scaled to side_px; black outside.

        :param boxes: N x 4, (left, top, right, bottom) in pixels of the full image.
        :returns: N x side_px x side_px (x 3 for a colour image).
        """
        shape = (len(boxes), side_px, side_px, *self.image.shape[2:])
        crops = np.empty(shape, np.uint8)
        for crop, (left, top, right, _) in zip(crops, boxes.tolist(), strict=True):
            step = max(right - left, 1.0) / side_px
            # Edges lie half a pixel outside the centres of the pixels along them.
            offset = 0.5 * step - 0.5
            matrix = np.array([[step, 0.0, left + offset], [0.0, step, top + offset]])
            crop[...] = self.warped(matrix, side_px)
        return crops


def pyramid_scales(
    image_shape: Sequence[int], min_face_px: float, cell_px: int, factor: float
) -> list[float]:
    """Return the scales at which ``cell_px`` windows fit faces.

    Each is ``factor`` times the previous one; the last still holds one window. The first fits
    faces of ``min_face_px``.
    """
    scale = cell_px / min_face_px
    scales = []
    while scale <= 1.0 and min(image_shape[:2]) * scale >= cell_px:
        scales.append(scale)
        scale *= factor
    return scales
