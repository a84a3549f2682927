# SPDX-License-Identifier: Apache-2.0
"""Align faces as in FER2013: upright, grey, 48 x 48 pixels.

The networks are trained on that framing only, so their accuracy on a robot depends on how closely
camera faces match it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..face import BoundingBox, Face, RgbImage
from ..images.pyramid import HALVING_GRID_PX, ImagePyramid

CROP_SIZE_PX: Final = 48

# The five landmarks of FER2013: medians over 2,022 of 2,500 training pictures drawn at
# random in which MTCNN found one face (probability above 0.95), made symmetric. On 782 of 900
# PrivateTest pictures in which it found one, vgg_stn_msa reaches 83.8 % on the pictures as they
# are and 82.1 % on faces cut out of them; other sizes and heights of the template, 0.85 to
# 1.15 and +-2 px, reach at most half a point more.
TEMPLATE: Final = np.array([[14.8, 18.2], [32.8, 18.2], [23.8, 28.5], [16.4, 37.0], [31.2, 37.0]])
# The geometric mean side of MTCNN's boxes in the same pictures, 38.7 x 49.2 px.
_BOX_SIDE_PX: Final = 43.6


def similarity_transform(
    source: NDArray[np.floating], target: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the 2 x 3 least-squares similarity transform from ``source`` to ``target``.

    Least squares over the points, N x 2 each: with the points as complex numbers around their
    means, the factor is ``<source, target> / |source|^2`` (Umeyama 1991, in two dimensions).

    :raises ValueError: when all points of ``source`` coincide.
    """
    # Plain Python numbers: NumPy is slower for so few.
    s = [complex(x, y) for x, y in source.tolist()]
    t = [complex(x, y) for x, y in target.tolist()]
    middle, aim = sum(s) / len(s), sum(t) / len(t)
    spread = sum(abs(a - middle) ** 2 for a in s)
    if spread <= 0.0:
        raise ValueError("the points to align are all the same")
    factor = sum((a - middle).conjugate() * (b - aim) for a, b in zip(s, t, strict=True)) / spread
    shift = aim - factor * middle
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


def crop_to_image(face: Face) -> NDArray[np.float64]:
    """Return the 2 x 3 map from crop pixels to image pixels."""
    known = np.isfinite(face.landmarks).all(axis=1)
    landmarks = face.landmarks[known].astype(np.float64)
    if len(landmarks) >= 2 and np.ptp(landmarks, axis=0).max() > 0.0:
        return similarity_transform(TEMPLATE[known], landmarks)
    return _box_to_image(face.box)


def _box_to_image(box: BoundingBox) -> NDArray[np.float64]:
    center_x, center_y = box.center
    step = max(box.area, 1.0) ** 0.5 / _BOX_SIDE_PX
    half = (CROP_SIZE_PX - 1) / 2.0
    return np.array([[step, 0.0, center_x - half * step], [0.0, step, center_y - half * step]])


def _extent(row: list[float]) -> tuple[float, float]:
    """Return the range of a crop's pixel coordinates along one axis."""
    u, v, shift = row
    far = CROP_SIZE_PX - 1.0
    return (
        shift + far * (min(u, 0.0) + min(v, 0.0)),
        shift + far * (max(u, 0.0) + max(v, 0.0)),
    )


def _reach(row: list[float], side: int) -> tuple[int, int]:
    """Return a crop's extent along an image axis of ``side`` pixels.

    It covers halved pixels completely and starts where the halvings of the whole image coincide.

    :param row: of the map from pixels of the crop to pixels of the image.
    """
    low, high = _extent(row)
    first = (math.floor(low / HALVING_GRID_PX) - 1) * HALVING_GRID_PX
    last = math.ceil(high) + HALVING_GRID_PX
    return min(max(first, 0), side), min(max(last, 0), side)


def _aligned(image: RgbImage, to_image: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return one crop; only the part under it is converted and halved."""
    height, width = image.shape[:2]
    rows = to_image.tolist()
    (left, right), (top, bottom) = (
        _reach(row, side) for row, side in zip(rows, (width, height), strict=True)
    )
    if left >= right or top >= bottom:
        return np.zeros((CROP_SIZE_PX, CROP_SIZE_PX), np.uint8)
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    to_part = to_image - np.array([[0.0, 0.0, left], [0.0, 0.0, top]])
    crop = ImagePyramid(grey).warped(to_part, CROP_SIZE_PX)
    if _is_inside(rows[0], width) and _is_inside(rows[1], height):
        return crop
    inside = ImagePyramid(np.full_like(grey, 255)).warped(to_part, CROP_SIZE_PX)
    return _with_mean_outside(crop, inside)


def _is_inside(row: list[float], side: int) -> bool:
    """Return whether a crop lies within ``side`` pixels on one axis."""
    low, high = _extent(row)
    return low >= 0.0 and high <= side - 1.0


def _with_mean_outside(crop: NDArray[np.uint8], inside: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill the part of ``crop`` outside the image with the mean grey.

    The mean is that of the part inside. Black would shift the mean and contrast of the normalised
    network input.

    :param crop: black outside.
    :param inside: coverage of each pixel, 0 (outside) to 255.
    """
    share = inside.astype(np.float32) / 255.0
    total = float(share.sum())
    if total <= 0.0:
        return crop
    mean = float(crop.sum()) / total
    return np.rint(np.minimum(crop + (1.0 - share) * mean, 255.0)).astype(np.uint8)


def align_faces(image: RgbImage, faces: Sequence[Face]) -> NDArray[np.uint8]:
    """Return one aligned grey crop for each face, N x 48 x 48.

    A face with at least two landmarks is aligned by them; one without is cropped around its box.
    Parts outside the image have the mean grey of the part inside; a crop fully outside is black.
    """
    crops = np.empty((len(faces), CROP_SIZE_PX, CROP_SIZE_PX), np.uint8)
    for crop, face in zip(crops, faces, strict=True):
        crop[...] = _aligned(image, crop_to_image(face))
    return crops
