# SPDX-License-Identifier: Apache-2.0
"""Assess a face's quality: size, framing, yaw, sharpness, light."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..face import Face
from ..face_emotion import FaceQuality, Fault
from .alignment import CROP_SIZE_PX, crop_to_image

__all__ = ["assess", "trusted"]


@dataclass(frozen=True)
class _Curve:
    """Accuracy and trust over a measured value, interpolated between its points.

    :ivar accuracy: relative to undamaged faces.
    :ivar trust: (accuracy - 1/7) / (mean confidence - 1/7), at most 1.
    """

    value: tuple[float, ...]
    accuracy: tuple[float, ...]
    trust: tuple[float, ...]

    def at(self, value: float) -> tuple[float, float]:
        """Return (accuracy, trust) at ``value``."""
        return (
            float(np.interp(value, self.value, self.accuracy)),
            float(np.interp(value, self.value, self.trust)),
        )


# From damaged pictures of PrivateTest and vgg_stn; fer_training.quality_bins checks them.
_BY_SIZE_PX: Final = _Curve(
    (7.0, 10.0, 14.0, 18.0, 24.0, 36.0),
    (0.45, 0.61, 0.73, 0.86, 0.96, 1.0),
    (0.54, 0.77, 0.89, 0.98, 1.0, 1.0),
)
_BY_SHARE_OUTSIDE: Final = _Curve(
    (0.1, 0.2, 0.35, 0.5, 0.6, 1.0),
    (1.0, 0.98, 0.96, 0.86, 0.71, 0.44),
    (1.0, 1.0, 1.0, 1.0, 0.94, 0.0),
)
_BY_NOSE_OFFSET: Final = _Curve(
    (0.3, 0.6, 1.0, 1.6), (1.0, 0.98, 0.92, 0.82), (1.0, 1.0, 0.97, 0.93)
)
_BY_SHARPNESS: Final = _Curve(
    (0.05, 0.08, 0.12, 0.2, 0.3), (0.51, 0.64, 0.82, 0.97, 1.0), (0.67, 0.82, 0.95, 1.0, 1.0)
)
_BY_NOISE: Final = _Curve(
    (0.11, 0.15, 0.21, 0.32, 0.43), (1.0, 0.92, 0.81, 0.62, 0.46), (1.0, 0.92, 0.79, 0.54, 0.35)
)
_BY_CONTRAST: Final = _Curve((0.5, 2.0, 4.0), (0.44, 0.7, 1.0), (0.0, 0.6, 1.0))

# A fault is named when it costs more than this share of the accuracy.
_NAMED_LOSS: Final = 0.1

# Cancels edges, so that noise remains (Immerkaer 1996, "Fast Noise Variance Estimation").
_NOISE_KERNEL: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_NOISE_GAIN: Final = 6.0 * 0.6745  # of the median of normal noise

_STEPS: Final = 12
_CENTERS: Final = (np.arange(_STEPS) + 0.5) * (CROP_SIZE_PX / _STEPS) - 0.5
_GRID: Final = np.stack(
    [np.tile(_CENTERS, _STEPS), np.repeat(_CENTERS, _STEPS), np.ones(_STEPS**2)]
)


def assess(face: Face, crop: NDArray[np.uint8], image_size: tuple[int, int]) -> FaceQuality:
    """Return the quality of a face.

    :param face: in the image.
    :param crop: 48 x 48, the face aligned by :func:`~.alignment.align_faces`.
    :param image_size: (width, height) of the image, in pixels.
    """
    to_image = crop_to_image(face)
    contrast = cv2.meanStdDev(crop)[1].item()
    edges = cv2.meanStdDev(cv2.Laplacian(crop, cv2.CV_16S))[1].item()
    scale = max(contrast, 1.0)
    size_px = CROP_SIZE_PX * math.hypot(to_image[0, 0], to_image[1, 0])
    judged = (
        (Fault.SMALL, _BY_SIZE_PX.at(size_px)),
        (Fault.CUT, _BY_SHARE_OUTSIDE.at(_share_outside(to_image, image_size))),
        (Fault.TURNED, _BY_NOSE_OFFSET.at(_nose_offset(face))),
        (Fault.BLURRED, _BY_SHARPNESS.at(edges / scale)),
        (Fault.DARK, min(_BY_NOISE.at(_noise(crop) / scale), _BY_CONTRAST.at(contrast))),
    )
    faults = Fault(0)
    value = trust = 1.0
    for fault, (accuracy, evidence) in judged:
        value, trust = value * accuracy, trust * evidence
        if accuracy < 1.0 - _NAMED_LOSS:
            faults |= fault
    return FaceQuality(value, faults, trust)


def trusted(scores: NDArray[np.float32], quality: FaceQuality) -> NDArray[np.float32]:
    """Return ``scores`` as far as ``quality`` lets them be trusted.

    They are mixed with the uniform distribution: the order of the classes stays, the confidence
    falls.

    :param scores: 7, summing to 1.
    """
    trust = np.float32(quality.trust)
    return scores * trust + (np.float32(1.0) - trust) / np.float32(len(scores))


def _share_outside(to_image: NDArray[np.float64], image_size: tuple[int, int]) -> float:
    """Return the share of the crop outside the image, in [0, 1]."""
    x, y = to_image @ _GRID
    width, height = image_size
    inside = (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
    return 1.0 - float(np.count_nonzero(inside)) / inside.size


def _nose_offset(face: Face) -> float:
    """Return the nose's offset from the middle, in distances of the eyes.

    0 for a frontal face, about half the tangent of its yaw; 0 without landmarks.
    """
    (xl, yl), (xr, yr), (xn, yn), (xa, ya), (xb, yb) = face.landmarks.tolist()
    dx, dy = xr - xl, yr - yl
    distance2 = dx * dx + dy * dy
    off_x, off_y = xn - (xl + xr + xa + xb) / 4.0, yn - (yl + yr + ya + yb) / 4.0
    if not distance2 > 0.0 or not math.isfinite(off_x + off_y):
        return 0.0
    return abs(off_x * dx + off_y * dy) / distance2


def _noise(crop: NDArray[np.uint8]) -> float:
    """Return the standard deviation of a crop's noise, in grey levels."""
    residue = np.abs(cv2.filter2D(crop, cv2.CV_16S, _NOISE_KERNEL)).ravel()
    middle = residue.size // 2
    return float(np.partition(residue, middle)[middle]) / _NOISE_GAIN
