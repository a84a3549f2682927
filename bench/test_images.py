# SPDX-License-Identifier: Apache-2.0
"""Images with a known number of faces, made of the public-domain portrait."""

import cv2
import numpy as np

from fer_perception.face import RgbImage
from fer_perception.frame_source import PortraitSource


def faces_640x480(count: int) -> RgbImage:
    """Return a 640 x 480 image with ``count`` faces: 1, or 4 (the same view four times)."""
    view = PortraitSource(640, 480).read()
    if count == 1:
        return view
    if count != 4:
        raise ValueError(f"count is {count}: expected 1 or 4")
    quarter = cv2.resize(view, (320, 240), interpolation=cv2.INTER_AREA)
    return np.vstack([np.hstack([quarter] * 2)] * 2)
