# SPDX-License-Identifier: Apache-2.0
"""Augment training pictures at random without changing their expression."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Augmentation:
    """Limits of the random changes, drawn uniformly per picture.

    :ivar flip: mirrors half of the pictures.
    :ivar rotation_deg: largest rotation to either side.
    :ivar scale: largest relative change of size.
    :ivar shift: largest shift, as a share of the picture's side.
    :ivar shear: largest shear, as the tangent of its angle.
    :ivar gamma: largest exponent of the grey levels (and, inverted, the smallest).
    :ivar blur_probability: share of pictures that lose resolution, down to half.
    :ivar erase_probability: share of pictures in which one rectangle becomes mean grey.
    :ivar cut_probability: share of pictures that the image's edge cuts off by up to 40 %.
    """

    flip: bool = True
    rotation_deg: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    shear: float = 0.0
    gamma: float = 1.0
    blur_probability: float = 0.0
    erase_probability: float = 0.0
    cut_probability: float = 0.0

    def of_view(self) -> Augmentation:
        """Return the changes that a stored view contains: levels and geometry."""
        return replace(self, flip=False, erase_probability=0.0)

    def after_view(self) -> Augmentation:
        """Return the changes made to a stored view in each epoch."""
        return Augmentation(flip=self.flip, erase_probability=self.erase_probability)


def _uniform(generator: Generator, count: int, limit: float) -> Tensor:
    return (torch.rand(count, generator=generator) * 2 - 1) * limit


def change_levels_and_geometry(
    faces: Tensor, augmentation: Augmentation, generator: Generator
) -> Tensor:
    """Change grey levels and geometry of ``faces`` (B x 1 x S x S).

    Grey levels are in [0, 1]. Random numbers are drawn on the CPU, independently of the device of
    ``faces``.
    """
    count, _, side, _ = faces.shape
    if augmentation.gamma > 1.0:
        exponent = torch.exp(_uniform(generator, count, math.log(augmentation.gamma)))
        faces = faces.clamp(min=1e-4) ** exponent.to(faces.device)[:, None, None, None]
    if augmentation.blur_probability > 0.0:
        blurred = torch.rand(count, generator=generator) < augmentation.blur_probability
        low = int(torch.randint(side // 2, side, (1,), generator=generator))
        coarse = F.interpolate(faces, size=low, mode="bilinear", antialias=True)
        coarse = F.interpolate(coarse, size=side, mode="bilinear")
        faces = torch.where(blurred.to(faces.device)[:, None, None, None], coarse, faces)
    if augmentation.cut_probability > 0.0:
        faces = _cut(faces, augmentation.cut_probability, generator)
    angle = _uniform(generator, count, math.radians(augmentation.rotation_deg))
    zoom = 1.0 + _uniform(generator, count, augmentation.scale)
    mirror = torch.ones(count)
    if augmentation.flip:
        mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    shear = _uniform(generator, count, augmentation.shear)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = mirror * cos, -sin + shear
    theta[:, 1, 0], theta[:, 1, 1] = mirror * sin, cos
    # The sampling grid spans [-1, 1]: a shift by a share of the side is twice as much there.
    theta[:, 0, 2] = _uniform(generator, count, 2 * augmentation.shift)
    theta[:, 1, 2] = _uniform(generator, count, 2 * augmentation.shift)
    grid = F.affine_grid(theta.to(faces.device), list(faces.shape), align_corners=False)
    return F.grid_sample(faces, grid, padding_mode="border", align_corners=False)


def _cut(faces: Tensor, probability: float, generator: Generator) -> Tensor:
    """Fill a strip along one edge of some ``faces`` with mean grey.

    This imitates the alignment of faces at the image's edge.
    """
    count, _, side, _ = faces.shape
    depth, chosen = torch.rand(2, count, generator=generator)
    depth = depth * 0.4 * side * (chosen < probability)
    edge = torch.randint(4, (count,), generator=generator)
    position = torch.arange(side).expand(count, side)
    position = torch.where(edge[:, None] % 2 == 0, position, side - 1 - position)
    strip = (position < depth[:, None]).to(faces.device)[:, None]
    across = (edge < 2).to(faces.device)[:, None, None, None]
    outside = torch.where(across, strip[..., None], strip[:, :, None])
    inside = (~outside).float()
    mean = (faces * inside).sum((2, 3), keepdim=True) / inside.sum((2, 3), keepdim=True)
    return torch.where(outside, mean, faces)


def erase(faces: Tensor, augmentation: Augmentation, generator: Generator) -> Tensor:
    """Set a rectangle of some normalised ``faces`` to 0, their mean.

    Random erasing of Zhong et al. 2017, with a rectangle of 2 to 20 % of the area.
    """
    count, _, side, _ = faces.shape
    chosen = torch.rand(count, generator=generator) < augmentation.erase_probability
    area = torch.empty(count).uniform_(0.02, 0.2, generator=generator) * side * side
    aspect = torch.exp(_uniform(generator, count, math.log(3.0)))
    height = (area * aspect).sqrt().clamp(max=side)
    width = (area / aspect).sqrt().clamp(max=side)
    top = torch.rand(count, generator=generator) * (side - height)
    left = torch.rand(count, generator=generator) * (side - width)
    position = torch.arange(side)
    rows = (position >= top[:, None]) & (position < (top + height)[:, None]) & chosen[:, None]
    columns = (position >= left[:, None]) & (position < (left + width)[:, None])
    hole = rows.to(faces.device)[:, None, :, None] & columns.to(faces.device)[:, None, None, :]
    return faces.masked_fill(hole, 0.0)


def mix(
    faces: Tensor, targets: Tensor, share: float, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Mix each face of the batch with another one, with probability ``share``.

    Mixup of Zhang et al. 2018, its weight drawn uniformly per batch; the targets are mixed by
    the same weight.

    :param faces: B x 1 x S x S, normalised; ``targets``: B x 7.
    """
    chosen, weight = torch.rand(2, generator=generator).tolist()
    if chosen >= share:
        return faces, targets
    return torch.lerp(faces, faces.flip(0), weight), torch.lerp(targets, targets.flip(0), weight)
