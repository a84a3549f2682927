# SPDX-License-Identifier: Apache-2.0
"""Optimiser of a recipe and its learning rates."""

from __future__ import annotations

import math
from typing import Any, Final

from torch import nn
from torch.optim import SGD

from ..networks.spatial_transformer import LocalizationNetwork
from .recipes import Recipe

_WARM_UP_SHARE: Final = 0.05


def one_cycle_factor(progress: float) -> float:
    """Return the relative learning rate at ``progress`` in [0, 1]."""
    if progress < _WARM_UP_SHARE:
        return (progress + 0.001) / (_WARM_UP_SHARE + 0.001)
    return 0.5 + 0.5 * math.cos(math.pi * (progress - _WARM_UP_SHARE) / (1.0 - _WARM_UP_SHARE))


def create_optimizer(network: nn.Module, recipe: Recipe) -> SGD:
    """Return the optimiser of ``network``'s weights by ``recipe``."""
    return SGD(
        _parameter_groups(network, recipe),
        momentum=0.9,
        nesterov=True,
        weight_decay=recipe.weight_decay,
    )


def _parameter_groups(network: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    transformer = [
        parameter
        for module in network.modules()
        if isinstance(module, LocalizationNetwork)
        for parameter in module.parameters()
    ]
    known = {id(parameter) for parameter in transformer}
    others = [p for p in network.parameters() if id(p) not in known]
    groups = [(others, 1.0), (transformer, recipe.transformer_learning_rate_factor)]
    return [
        {"params": params, "lr": recipe.learning_rate * factor, "base_lr_factor": factor}
        for params, factor in groups
        if params
    ]
