# SPDX-License-Identifier: Apache-2.0
"""Multiple self-attention (MSA), the contribution of the report.

A head is the self-attention of Zhang et al. 2019, "Self-Attention Generative Adversarial
Networks".
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .scalar_attention import scalar_attention


def _inner_channels(channels: int) -> int:
    """Return an eighth of the channels, for f, g and h."""
    return max(1, channels // 8)


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return the sum over i of ``softmax_i(query_j . key_i) value_i``.

    All are ... x N x C.
    """
    if query.shape[-1] == 1:
        return scalar_attention(query, key, value)
    return F.scaled_dot_product_attention(query, key, value, scale=1.0)


class MultipleSelfAttention(nn.Module):
    """N parallel self-attention heads, mixed by learnt weights.

    ``y = sum_i w_i SA_i(x)`` with ``w~ = sigmoid(W Pool(Conv(x)) + b)`` and
    ``w = w~ / |w~|_1``. With f, g and h 1x1 convolutions of x, each SA_i is
    ``beta_{j,i} = softmax_i(f(x_i)^T g(x_j))``, ``o_j = v(sum_i beta_{j,i} h(x_i))`` and
    ``y_i = gamma o_i + x_i``, where v is a 1x1 convolution and gamma starts at 0, so that an
    untrained module is the identity. The convolutions of all heads are one here, because eight
    small ones cost several times as much. As the weights sum to 1,
    ``y = x + sum_i w_i gamma_i o_i``.

    :param channels: C of the input.
    :param size: (H, W) of the input, which fixes the weight branch's fully connected layer.
    :param heads: N, 8 in the report.
    :ivar bypass: skip the computation, which is exact while every gamma is 0; training sets it for
        the first epochs.
    """

    def __init__(self, channels: int, size: tuple[int, int], heads: int = 8) -> None:
        super().__init__()
        self.heads = heads
        self.bypass = False
        self.pooled_size = (size[0] // 2, size[1] // 2)
        self.inner = _inner_channels(channels)
        self.f = nn.Conv2d(channels, heads * self.inner, kernel_size=1)
        self.g = nn.Conv2d(channels, heads * self.inner, kernel_size=1)
        self.h = nn.Conv2d(channels, heads * self.inner, kernel_size=1)
        self.v = nn.Conv2d(heads * self.inner, heads * channels, kernel_size=1, groups=heads)
        self.gamma = nn.Parameter(torch.zeros(heads))
        self.weight_conv = nn.Conv2d(channels, self.inner, kernel_size=1)
        self.weight_fc = nn.Linear(self.inner * self.pooled_size[0] * self.pooled_size[1], heads)

    def head_weights(self, x: Tensor) -> Tensor:
        """Return w, B x N, non-negative, each row summing to 1."""
        maps = self.weight_conv(x)
        # Halves an input of the given size with an ONNX operator; resizes others to the same map.
        if maps.shape[2:] == (2 * self.pooled_size[0], 2 * self.pooled_size[1]):
            pooled = F.max_pool2d(maps, 2)
        else:
            pooled = F.adaptive_max_pool2d(maps, self.pooled_size)
        raw = torch.sigmoid(self.weight_fc(pooled.flatten(1)))
        return raw / raw.sum(dim=1, keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return y, of the shape of ``x`` (B x C x H x W)."""
        if self.bypass:
            return x
        batch, _, height, width = x.shape
        key, query, value = (
            conv(x)
            .reshape(batch, self.heads, self.inner, height * width)
            .transpose(2, 3)
            .contiguous()
            for conv in (self.f, self.g, self.h)
        )
        attended = _attend(query, key, value)
        stacked = attended.transpose(2, 3).reshape(batch, -1, height, width)
        # Scaling the head's input (and its bias) by w_i gamma_i before the sum over heads lets
        # one dense convolution do both, instead of N maps of C channels that are added up after.
        scale = self.head_weights(x) * self.gamma
        scaled = stacked * scale.repeat_interleave(self.inner, dim=1)[:, :, None, None]
        channels = x.shape[1]
        weight = self.v.weight.view(self.heads, channels, self.inner).transpose(0, 1)
        assert self.v.bias is not None
        bias = scale.to(self.v.bias.dtype) @ self.v.bias.view(self.heads, channels)
        o = F.conv2d(scaled, weight.reshape(channels, -1, 1, 1).to(scaled.dtype))
        return x + o + bias[:, :, None, None].to(o.dtype)
