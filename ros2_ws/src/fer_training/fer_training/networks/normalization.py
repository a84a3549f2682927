# SPDX-License-Identifier: Apache-2.0
"""Normalise grey levels for the networks, in training and graphs."""

from __future__ import annotations

from typing import Final

from torch import Tensor

# Minimum contrast, so that the noise of uniform crops is not amplified.
_MIN_STD: Final = 0.05


def grey_levels(crops: Tensor) -> Tensor:
    """Return uint8 crops, B x H x W, as B x 1 x H x W in [0, 1]."""
    return crops[:, None].float() / 255.0


def normalize(faces: Tensor) -> Tensor:
    """Normalise each face to mean 0 and standard deviation 1.

    :param faces: B x 1 x H x W, grey levels in [0, 1].
    """
    mean = faces.mean(dim=(2, 3), keepdim=True)
    std = faces.std(dim=(2, 3), keepdim=True, correction=0)
    return (faces - mean) / std.clamp(min=_MIN_STD)
