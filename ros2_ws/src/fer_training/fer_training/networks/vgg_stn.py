# SPDX-License-Identifier: Apache-2.0
"""The report's custom VGGFace with a spatial transformer, with and without MSA."""

from __future__ import annotations

from torch import Tensor, nn

from .multiple_self_attention import MultipleSelfAttention
from .spatial_transformer import LocalizationNetwork, SpatialTransformer

_STACK_CHANNELS = (64, 128, 256, 512)
_HIDDEN_UNITS = 256


def _stack(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
    )


class VggStn(nn.Module):
    """Four stacks of two 3x3 convolutions behind a spatial transformer.

    The head has one layer of 256 units instead of the report's two of 4096, nine tenths of its
    weights.

    :param classes: number of outputs.
    :param attention: apply MSA to the 64 x 24 x 24 map after the first stack.
    """

    def __init__(self, classes: int, attention: bool = False) -> None:
        super().__init__()
        self.transformer = SpatialTransformer(LocalizationNetwork())
        inputs = (1, *_STACK_CHANNELS[:-1])
        first, *others = (_stack(i, o) for i, o in zip(inputs, _STACK_CHANNELS, strict=True))
        self.first_stack = first
        self.attention = (
            MultipleSelfAttention(_STACK_CHANNELS[0], (24, 24)) if attention else nn.Identity()
        )
        self.other_stacks = nn.Sequential(*others)
        self.head = nn.Sequential(
            # The identity for 48 px; lets training start on smaller images.
            nn.AdaptiveAvgPool2d(3),
            nn.Flatten(),
            nn.Dropout(),
            nn.Linear(_STACK_CHANNELS[-1] * 3 * 3, _HIDDEN_UNITS),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(_HIDDEN_UNITS, classes),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return logits, B x classes, for ``image``, B x 1 x 48 x 48."""
        features = self.attention(self.first_stack(self.transformer(image)))
        return self.head(self.other_stacks(features))
