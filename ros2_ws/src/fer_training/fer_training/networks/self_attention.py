# SPDX-License-Identifier: Apache-2.0
"""Self-attention (Zhang et al. 2019, "Self-Attention Generative Adversarial Networks")."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .scalar_attention import scalar_attention


def inner_channels(channels: int) -> int:
    """Return an eighth of the channels, for f, g and h."""
    return max(1, channels // 8)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return the sum over i of ``softmax_i(query_j . key_i) value_i``.

    All are ... x N x C.
    """
    if query.shape[-1] == 1:
        return scalar_attention(query, key, value)
    return F.scaled_dot_product_attention(query, key, value, scale=1.0)


class SelfAttention(nn.Module):
    """Self-attention over the positions of a feature map.

    With f, g and h 1x1 convolutions of x: ``beta_{j,i} = softmax_i(f(x_i)^T g(x_j))``,
    ``o_j = v(sum_i beta_{j,i} h(x_i))`` and ``y_i = gamma o_i + x_i``, where v is a 1x1
    convolution and gamma starts at 0, so that an untrained module is the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = inner_channels(channels)
        self.f = nn.Conv2d(channels, inner, kernel_size=1)
        self.g = nn.Conv2d(channels, inner, kernel_size=1)
        self.h = nn.Conv2d(channels, inner, kernel_size=1)
        self.v = nn.Conv2d(inner, channels, kernel_size=1)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return y, of the shape of ``x`` (B x C x H x W)."""
        key, query, value = (
            conv(x).flatten(2).transpose(1, 2).contiguous() for conv in (self.f, self.g, self.h)
        )
        attended = attend(query, key, value)
        o = self.v(attended.transpose(1, 2).unflatten(2, x.shape[2:]))
        return self.gamma * o + x
