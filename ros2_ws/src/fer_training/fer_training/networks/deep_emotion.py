# SPDX-License-Identifier: Apache-2.0
"""Deep-Emotion (Minaee et al. 2021), with and without multiple self-attention."""

from __future__ import annotations

from torch import Tensor, nn

from .baseline_cnn import BaselineCnn
from .multiple_self_attention import MultipleSelfAttention
from .spatial_transformer import LocalizationNetwork, SpatialTransformer


class DeepEmotion(nn.Module):
    """The baseline network behind a spatial transformer.

    :param classes: number of outputs.
    :param attention: apply MSA to the 8 x 42 x 42 map of the localisation network.
    """

    def __init__(self, classes: int, attention: bool = False) -> None:
        super().__init__()
        msa = MultipleSelfAttention(8, (42, 42)) if attention else None
        self.transformer = SpatialTransformer(LocalizationNetwork(msa))
        self.classifier = BaselineCnn(classes, batch_norm=True)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits, B x classes, for ``image``, B x 1 x 48 x 48."""
        return self.classifier(self.transformer(image))
