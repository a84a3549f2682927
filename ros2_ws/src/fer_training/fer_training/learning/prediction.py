# SPDX-License-Identifier: Apache-2.0
"""Run a network on pictures that it does not learn from."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from ..networks.normalization import grey_levels, normalize
from .labelled_faces import LabelledFaces
from .mixed_precision import mixed_precision

_BATCH: Final = 256


def predict(network: nn.Module, images: Tensor) -> Tensor:
    """Return the logits, N x classes, of grey uint8 ``images``, N x 48 x 48.

    :param images: on the device of ``network``.
    """
    network.eval()
    with torch.inference_mode(), mixed_precision(images.device):
        return torch.cat(
            [network(normalize(grey_levels(part))).float() for part in images.split(_BATCH)]
        )


def accuracy_on(network: nn.Module, faces: LabelledFaces) -> float:
    """Return the share of ``faces`` whose label ``network`` predicts."""
    predicted = predict(network, faces.images).argmax(dim=1)
    return (predicted == faces.labels).double().mean().item()
