# SPDX-License-Identifier: Apache-2.0
"""Draw the augmented batches of an epoch."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from fer_perception.emotions import EMOTIONS

from ..networks.normalization import grey_levels, normalize
from .augmentation import change_levels_and_geometry, erase, mix
from .labelled_faces import LabelledFaces
from .recipes import Recipe


def draw_order(labels: Tensor, balance: float, generator: Generator) -> Tensor:
    """Return the rows of one epoch in order.

    Without balance each row comes once; with it rows are drawn with replacement, those of class c
    with a weight of (share of c)^-balance.
    """
    if balance == 0.0:
        return torch.randperm(len(labels), generator=generator)
    share = torch.bincount(labels, minlength=len(EMOTIONS)).double() / len(labels)
    weights = share.clamp(min=1.0 / len(labels)) ** -balance
    return torch.multinomial(weights[labels], len(labels), replacement=True, generator=generator)


def batches(
    faces: LabelledFaces, recipe: Recipe, generator: Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (normalised images, targets) of one epoch.

    Images are B x 1 x 48 x 48, targets B x 7. The last, incomplete batch is dropped, as it would
    distort batch norm.
    """
    order = draw_order(faces.labels.cpu(), recipe.balance, generator)
    for start in range(0, len(order) - recipe.batch_size + 1, recipe.batch_size):
        rows = order[start : start + recipe.batch_size].to(faces.images.device)
        images = grey_levels(faces.images[rows])
        images = change_levels_and_geometry(images, recipe.augmentation, generator)
        images = erase(normalize(images), recipe.augmentation, generator)
        targets = faces.targets[rows]
        if recipe.mixup > 0.0:
            images, targets = mix(images, targets, recipe.mixup, generator)
        yield images, targets
