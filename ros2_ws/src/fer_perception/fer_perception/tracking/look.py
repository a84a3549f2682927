# SPDX-License-Identifier: Apache-2.0
"""Compare how faces look, to notice that one person took another's place.

A look distinguishes the few people in view for seconds, in the same light and clothes. It does not
identify anyone: among strangers about one pair in fifty looks alike.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

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


def look_of(crop: NDArray[np.uint8]) -> Look:
    """Return the look of an aligned crop, 48 x 48.

    The grey levels and the histograms of signed gradients weigh the same. Both have mean 0 and
    norm 1, so that brightness and contrast do not count.
    """
    parts = (_normalized(crop), _normalized(np.asarray(_GRADIENTS.compute(crop))))
    return np.concatenate(parts) * np.float32(0.5**0.5)


def similarity(look: Look, other: Look) -> float:
    """Return the correlation of two looks, in [-1, 1]."""
    return float(look @ other)


def _normalized(values: NDArray[np.generic]) -> NDArray[np.float32]:
    vector = values.ravel().astype(np.float32)
    vector -= vector.mean()
    norm = float(np.linalg.norm(vector))
    return vector / np.float32(norm) if norm > 1e-6 else np.zeros_like(vector)
