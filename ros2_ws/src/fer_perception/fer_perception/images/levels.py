# SPDX-License-Identifier: Apache-2.0
"""Scale values of any depth to 8 bits by the picture's range.

A few outliers, such as the hot pixels of a sensor, do not decide that range: they are clipped.
"""

from __future__ import annotations

import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

_DEPTHS_BITS: Final = (8, 10, 12, 14, 16)
"""Bit depths that cameras deliver in 16-bit values."""

_OUTLIERS: Final = 1e-3
"""Share of the values that may lie above the range, and below it."""

_SAMPLE_PIXELS: Final = 1 << 16
_BLACK_MEAN: Final = 4.0
_BLACK_CONTRAST: Final = 4.0


def to_8_bit(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return ``values`` scaled to 0 to 255.

    16-bit values are taken to have the fewest of 8, 10, 12, 14 and 16 bits that hold all but
    0.1 % of them: cameras of 10 and 12 bits leave the upper ones empty, and the picture would be
    black.
    Of signed values and floats, the smallest finite one becomes 0 and the largest 255, 0.1 % at
    either end left aside. Values beyond the range are clipped.

    :param values: H x W or H x W x channels, in native byte order; 8-bit ones are returned as
        they are.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.uint16:
        _, largest = _range(_sampled(values))
        bits = next(bits for bits in _DEPTHS_BITS if largest < 1 << bits)
        return _scaled(values, 0.0, (1 << bits) - 1.0)
    sample = _sampled(values)
    finite = sample[np.isfinite(sample)]
    if not finite.size:
        return np.zeros(values.shape, np.uint8)
    # The range of doubles may exceed a double.
    with np.errstate(over="ignore", invalid="ignore"):
        return _scaled(values.astype(np.float64), *_range(finite))


def is_nearly_black(image: NDArray[np.uint8]) -> bool:
    """Return whether an 8-bit picture is black but for noise."""
    sample = _sampled(image)
    return bool(sample.mean() < _BLACK_MEAN and sample.std() < _BLACK_CONTRAST)


def _sampled(values: NDArray[Any]) -> NDArray[Any]:
    """Return the values of pixels on a grid of rows and columns."""
    stride = math.isqrt(values.shape[0] * values.shape[1] // _SAMPLE_PIXELS)
    stride |= 1  # odd, to meet all colours of a Bayer pattern
    return values[::stride, ::stride]


def _range(values: NDArray[Any]) -> tuple[float, float]:
    """Return the smallest and the largest value, outliers left aside."""
    outliers = int(_OUTLIERS * values.size)
    ordered = np.partition(values, (outliers, values.size - 1 - outliers), axis=None)
    return float(ordered[outliers]), float(ordered[-1 - outliers])


def _scaled(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return ``values`` with ``low`` mapped to 0 and ``high`` to 255, rounded."""
    if values.dtype == np.uint16:
        return cv2.convertScaleAbs(values, alpha=255.0 / (high - low))
    share = (values / 2.0 - low / 2.0) / max(high / 2.0 - low / 2.0, np.finfo(float).tiny)
    return np.rint(np.nan_to_num(share.clip(0.0, 1.0)) * 255.0).astype(np.uint8)
