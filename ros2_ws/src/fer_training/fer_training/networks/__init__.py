# SPDX-License-Identifier: Apache-2.0
"""Networks from B x 1 x 48 x 48 normalised faces to logits.

To add one, write its module and name it in :data:`NETWORKS`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from torch import nn

from .baseline_cnn import BaselineCnn
from .compact import Compact
from .deep_emotion import DeepEmotion
from .vgg_stn import VggStn

__all__ = [
    "INPUT_SIZE_PX",
    "NETWORKS",
    "BaselineCnn",
    "Compact",
    "DeepEmotion",
    "VggStn",
    "create_network",
]

INPUT_SIZE_PX: Final = 48
"""Width and height of the networks' grey input."""

NETWORKS: Final[dict[str, Callable[[int], nn.Module]]] = {
    "baseline_cnn": BaselineCnn,
    "deep_emotion": DeepEmotion,
    "deep_emotion_msa": partial(DeepEmotion, attention=True),
    "vgg_stn": VggStn,
    "vgg_stn_msa": partial(VggStn, attention=True),
    "compact": Compact,
}
"""Name -> constructor, called with the number of classes; the report's first, in its order."""


def create_network(name: str, classes: int) -> nn.Module:
    """Return the untrained network ``name`` with ``classes`` outputs.

    :raises ValueError: when the name is unknown.
    """
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}: expected one of {', '.join(NETWORKS)}")
    return NETWORKS[name](classes)
