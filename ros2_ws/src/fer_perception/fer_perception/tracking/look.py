# SPDX-License-Identifier: Apache-2.0
"""Compare how faces look, to notice that one person took another's place.

A look distinguishes the few people in view for seconds, in the same light and clothes. It does not
identify anyone: of 262,000 pairs of faces of FER2013, aligned, one in 800 looks alike.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..face import BoundingBox, RgbImage
from ..recognition.alignment import CROP_SIZE_PX

Look = NDArray[np.float32]
"""Unit vector, or zero of a crop without contrast."""

if not hasattr(cv2, "HOGDescriptor"):
    raise ImportError(
        f"OpenCV {cv2.__version__} has no HOGDescriptor, which tracking uses: expected 4.6 or "
        "later, below 5; pip install 'opencv-python-headless>=4.6,<5'"
    )
_GRADIENTS: Final = cv2.HOGDescriptor(
    (CROP_SIZE_PX, CROP_SIZE_PX), (16, 16), (8, 8), (8, 8), 9, 1, -1.0, 0, 0.2, True, 64, True
)
MIN_SIMILARITY: Final = 0.7
"""Least similarity of two looks of one person.

Of 24 people in photographs none of the 276 pairs reaches it; of a face that turns from crying to a
smile, 93 % of the pictures 1 s apart.
"""
MIN_SIMILARITY_OF_GLANCES: Final = 0.8
"""Least similarity of two glances at one person in successive frames.

None of the 276 pairs reaches 0.71; of faces that talk and turn, 90 % of the frames at 30 Hz.
"""
# Points of a glance along each axis, as shares of the box.
_GLANCE: Final = (np.arange(8) + 0.5) / 8.0
# The same of a half: none of the pairs reaches 0.82.
_MIN_SIMILARITY_OF_HALVES: Final = 0.85
_PIXELS: Final = np.arange(CROP_SIZE_PX**2).reshape(CROP_SIZE_PX, CROP_SIZE_PX)
# OpenCV orders the blocks of gradients by columns.
_BLOCKS: Final = CROP_SIZE_PX**2 + np.arange(900).reshape(5, 5, 36).swapaxes(0, 1)
_MIDDLE: Final = CROP_SIZE_PX // 2
_HALVES: Final = (
    (_PIXELS[:_MIDDLE].ravel(), _BLOCKS[:2].ravel()),
    (_PIXELS[_MIDDLE:].ravel(), _BLOCKS[3:].ravel()),
    (_PIXELS[:, :_MIDDLE].ravel(), _BLOCKS[:, :2].ravel()),
    (_PIXELS[:, _MIDDLE:].ravel(), _BLOCKS[:, 3:].ravel()),
)
# A half of less contrast, as a share of the variance of the whole, shows no face.
_MIN_CONTRAST: Final = 0.1


def look_of(crop: NDArray[np.uint8]) -> Look:
    """Return the look of an aligned crop, 48 x 48.

    The grey levels and the histograms of signed gradients weigh the same. Both have mean 0 and
    norm 1, so that brightness and contrast do not count.
    """
    return _joined(crop, np.asarray(_GRADIENTS.compute(crop)))


def glance_at(image: RgbImage, box: BoundingBox) -> Look:
    """Return a rough look of a face: 64 pixels of its box, a tenth of the cost."""
    height, width = image.shape[:2]
    columns = np.clip(box.x + box.width * _GLANCE, 0.0, width - 1.0).astype(np.intp)
    rows = np.clip(box.y + box.height * _GLANCE, 0.0, height - 1.0).astype(np.intp)
    return _normalized(image[rows[:, None], columns, 1])


def similarity(look: Look, other: Look) -> float:
    """Return the correlation of two looks, in [-1, 1]."""
    return float(look @ other)


def share_a_half(look: Look, other: Look) -> bool:
    """Return whether the upper, lower, left or right half may be that of one person.

    What covers a part of a face, or glasses put on, leaves one of them as it was.
    """
    return any(
        similarity(_half(look, *places), _half(other, *places)) >= _MIN_SIMILARITY_OF_HALVES
        for places in _HALVES
    )


def _half(look: Look, pixels: NDArray[np.intp], gradients: NDArray[np.intp]) -> Look:
    grey = look[pixels]
    # The grey levels of the whole have the sum of squares 0.5.
    if float(np.var(grey)) * CROP_SIZE_PX**2 < 0.5 * _MIN_CONTRAST:
        return np.zeros(len(pixels) + len(gradients), np.float32)
    return _joined(grey, look[gradients])


def _joined(grey: NDArray[np.generic], gradients: NDArray[np.generic]) -> Look:
    return np.concatenate((_normalized(grey), _normalized(gradients))) * np.float32(0.5**0.5)


def _normalized(values: NDArray[np.generic]) -> NDArray[np.float32]:
    vector = values.ravel().astype(np.float32)
    vector -= vector.mean()
    norm = math.sqrt(float(vector @ vector))
    return vector / np.float32(norm) if norm > 1e-6 else np.zeros_like(vector)
