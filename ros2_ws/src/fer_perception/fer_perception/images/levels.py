# SPDX-License-Identifier: Apache-2.0
"""Scale values of any depth to 8 bits by the image's own range."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

_DEPTHS_BITS: Final = (8, 10, 12, 14, 16)
"""Bit depths that cameras deliver in 16-bit values."""


def to_8_bit(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return ``values`` scaled to 0 to 255.

    16-bit values are assumed to have the fewest of 8, 10, 12, 14 and 16 bits that hold the largest
    of them: cameras of 10 and 12 bits leave the upper ones empty, and the picture would be black.
    Of signed values and floats, the smallest finite one becomes 0 and the largest 255.

    :param values: of any shape, in native byte order; 8-bit ones are returned as they are.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.uint16:
        largest = int(values.max())
        bits = next(bits for bits in _DEPTHS_BITS if largest < 1 << bits)
        return _scaled(values, 0.0, (1 << bits) - 1.0)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.zeros(values.shape, np.uint8)
    # The range of doubles may exceed a double.
    with np.errstate(over="ignore", invalid="ignore"):
        return _scaled(values.astype(np.float64), float(finite.min()), float(finite.max()))


def _scaled(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return ``values`` with ``low`` mapped to 0 and ``high`` to 255, rounded."""
    if values.dtype == np.uint16:
        return cv2.convertScaleAbs(values, alpha=255.0 / (high - low))
    share = (values / 2.0 - low / 2.0) / max(high / 2.0 - low / 2.0, np.finfo(float).tiny)
    return np.rint(np.nan_to_num(share.clip(0.0, 1.0)) * 255.0).astype(np.uint8)
