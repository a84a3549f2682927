# SPDX-License-Identifier: Apache-2.0
"""Faces with the distributions that a network learns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_evaluation.datasets.fer2013 import Fer2013
from fer_evaluation.datasets.votes import EXCLUDED, plurality_labels, soft_targets
from fer_perception.emotions import EMOTIONS


@dataclass(frozen=True)
class LabelledFaces:
    """Labelled faces of one split.

    :ivar images: N x 48 x 48, grey, uint8.
    :ivar labels: N, index into :data:`~fer_perception.emotions.EMOTIONS`.
    :ivar targets: N x 7, the distribution to learn, each row summing to 1.
    """

    images: Tensor
    labels: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> LabelledFaces:
        """Return the same faces on ``device``."""
        return LabelledFaces(*(t.to(device) for t in (self.images, self.labels, self.targets)))


def select_faces(
    data: Fer2013, rows: NDArray[np.int64], soft: bool, plurality_share: float = 0.0
) -> LabelledFaces:
    """Return the cleaned faces of ``rows`` with their targets.

    :param soft: use the raters' distribution as targets, except for the ``plurality_share``.
    """
    labels = plurality_labels(data.votes[rows])
    rows, labels = rows[labels != EXCLUDED], labels[labels != EXCLUDED]
    targets = np.eye(len(EMOTIONS), dtype=np.float32)[labels]
    if soft:
        votes = soft_targets(data.votes[rows])
        targets = votes + np.float32(plurality_share) * (targets - votes)
    return LabelledFaces(
        torch.from_numpy(data.images[rows]), torch.from_numpy(labels), torch.from_numpy(targets)
    )
