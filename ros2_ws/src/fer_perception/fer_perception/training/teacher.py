# SPDX-License-Identifier: Apache-2.0
"""Softens the raters' votes with the scores of a trained model."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..normalization import grey_levels, normalize

_BATCH = 256


def teacher_scores(network: nn.Module, temperature: float, images: Tensor) -> Tensor:
    """Return the scores, N x classes, that a trained network gives ``images`` unchanged.

    Ten raters estimate how a face is read with an error of up to 0.16 in each share; what a
    network learnt from all other faces has errors of another kind, so that the mean of both is
    the better target (Hinton et al. 2015; Furlanello et al. 2018, "Born-Again Neural Networks").
    The logits are averaged over each picture and its mirror image.

    :param images: N x 48 x 48, grey, uint8.
    """
    network.eval()
    scores = []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for part in images.split(_BATCH):
            faces = normalize(grey_levels(part))
            logits = (network(faces).float() + network(faces.flip(3)).float()) / 2
            scores.append(torch.softmax(logits / temperature, dim=1))
    # A copy outside of inference mode, which training may use.
    return torch.cat(scores).clone()
