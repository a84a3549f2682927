# SPDX-License-Identifier: Apache-2.0
"""Trade a little accuracy for the recall of rare classes."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

_STEP: Final = 0.05
_STEPS: Final = 20


def fit_shift(logits: Tensor, labels: Tensor, shares: Tensor, max_loss: float) -> float:
    """Return the largest shift t within the allowed loss of accuracy.

    The adjusted logits are ``logits - t log(shares)``, t in [0, 1]: logit adjustment of Menon et
    al. 2021, "Long-tail learning via logit adjustment": t = 0 suits classes as frequent as in
    training, t = 1 classes of equal frequency. Use validation data that is not reported.

    :param logits: N x classes; ``labels``: N.
    :param shares: of each class in the training data.
    :param max_loss: of accuracy, as a share: 0.01 for one point.
    """
    accuracies = [
        (shifted(logits, shares, step * _STEP).argmax(dim=1) == labels).double().mean().item()
        for step in range(_STEPS + 1)
    ]
    kept = [step for step, got in enumerate(accuracies) if got >= accuracies[0] - max_loss]
    return kept[-1] * _STEP


def shifted(logits: Tensor, shares: Tensor, t: float) -> Tensor:
    """Return ``logits - t log(shares)``, with shares of at least 1e-6."""
    return logits - t * shares.clamp(min=1e-6).log().to(logits)


@torch.no_grad()
def shift(network: nn.Module, shares: Tensor, t: float) -> None:
    """Apply :func:`shifted` to ``network`` through its last bias."""
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    if last.out_features != len(shares):
        raise ValueError(f"the last layer has {last.out_features} outputs, not {len(shares)}")
    last.bias.copy_(shifted(last.bias, shares, t))
