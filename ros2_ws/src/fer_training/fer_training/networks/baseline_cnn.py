# SPDX-License-Identifier: Apache-2.0
"""The report's baseline: the classifier of Deep-Emotion without its spatial transformer."""

from __future__ import annotations

from torch import Tensor, nn


class BaselineCnn(nn.Sequential):
    """Four 3x3 convolutions of 10 channels and two dense layers.

    A max-pool follows every two convolutions.

    :param classes: number of outputs.
    :param batch_norm: normalise after the last convolution, as in Deep-Emotion.
    """

    def __init__(self, classes: int, batch_norm: bool = False) -> None:
        super().__init__(
            nn.Conv2d(1, 10, kernel_size=3),
            nn.ReLU(),
            nn.Conv2d(10, 10, kernel_size=3),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(10, 10, kernel_size=3),
            nn.ReLU(),
            nn.Conv2d(10, 10, kernel_size=3),
            nn.BatchNorm2d(10) if batch_norm else nn.Identity(),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Dropout(),
            nn.Flatten(),
            nn.Linear(810, 50),
            nn.ReLU(),
            nn.Linear(50, classes),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return logits, B x classes, for ``image``, B x 1 x 48 x 48."""
        return super().forward(image)
