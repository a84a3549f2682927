# SPDX-License-Identifier: Apache-2.0
"""Distillation: mix the raters' votes with trained networks' scores."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .mixed_precision import mixed_precision
from .trained_network import load_trained


class Teachers:
    """Networks whose mean scores serve as targets.

    The votes of ten raters have an error of up to 0.16 in each share; a network trained on all
    other faces has different errors, so that the mean of both is a better target (Hinton et al.
    2015; Furlanello et al. 2018, "Born-Again Neural Networks").

    :param sources: models by name or folder, or checkpoints of training runs.
    :raises ~fer_perception.inference.model_files.ModelError: when a model cannot be loaded.
    :raises FileNotFoundError: when a checkpoint is missing.
    """

    def __init__(self, sources: Sequence[str], device: torch.device) -> None:
        self._teachers = []
        for source in sources:
            teacher = load_trained(source)
            teacher.network.requires_grad_(False)
            teacher.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            self._teachers.append(teacher)

    @torch.no_grad()
    def scores(self, faces: Tensor) -> Tensor:
        """Return the scores, B x 7, of normalised ``faces``, B x 1 x 48 x 48."""
        faces = faces.contiguous(memory_format=torch.channels_last)
        total = torch.zeros((), device=faces.device)
        for teacher in self._teachers:
            with mixed_precision(faces.device):
                logits = teacher.network(faces)
            total = total + (logits.float() / teacher.temperature).softmax(dim=1)
        return total / len(self._teachers)

    def mixed_targets(self, targets: Tensor, faces: Tensor, weight: float) -> Tensor:
        """Return ``targets``, B x 7, with the share ``weight`` of :meth:`scores`."""
        return torch.lerp(targets, self.scores(faces), weight)
