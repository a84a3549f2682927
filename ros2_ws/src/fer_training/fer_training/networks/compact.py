# SPDX-License-Identifier: Apache-2.0
"""A small residual network for computers without a processor to spare."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

# (channels, blocks) on maps of 24, 12 and 6 pixels. Multiples of 32, which the convolutions of
# PyTorch and ONNX Runtime fill; plain 3x3 convolutions train three times faster than depthwise
# ones of the same accuracy here, and run as fast.
_STAGES = ((32, 1), (64, 2), (160, 2))
_POOLED_PX = 3
_DROPOUT = 0.2


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2016).

    :param stride: 1, or 2 to halve the map; the shortcut then averages 2 x 2 pixels (He et al.
        2019, "Bag of Tricks"), which loses less than every second pixel.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride),
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, features: Tensor) -> Tensor:
        """Return B x outputs x H/stride x W/stride for ``features``, B x inputs x H x W."""
        out = F.relu(self.first_norm(self.first(features)))
        return F.relu(self.second_norm(self.second(out)) + self.shortcut(features))


class _GridPool(nn.Module):
    """Average a map over the cells of a 3 x 3 grid."""

    def forward(self, features: Tensor) -> Tensor:
        side = int(features.shape[-1])
        if side % _POOLED_PX:  # a smaller image, in training
            return F.adaptive_avg_pool2d(features, _POOLED_PX)
        return F.avg_pool2d(features, side // _POOLED_PX)  # ONNX has this one


class Compact(nn.Module):
    """Five residual blocks behind a 5x5 convolution of stride 2.

    59 million multiply-adds and 0.95 million weights: an eighth and a sixth of
    :class:`~.vgg_stn.VggStn`'s.

    :param classes: number of outputs.
    :ivar image_size_px: width and height to which images are shrunk, a multiple of 8; training
        lowers it for its first epochs, because a smaller image trains faster.
    """

    def __init__(self, classes: int, image_size_px: int = 48) -> None:
        super().__init__()
        self.image_size_px = image_size_px
        channels = _STAGES[0][0]
        self.stem = nn.Sequential(
            nn.Conv2d(1, channels, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )
        blocks = []
        for stage, (outputs, count) in enumerate(_STAGES):
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                blocks.append(ResidualBlock(channels, outputs, stride))
                channels = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(
            # Faces are aligned: the place of a feature says something, so a 3 x 3 grid is kept.
            _GridPool(),
            nn.Flatten(),
            nn.Dropout(_DROPOUT),
            nn.Linear(channels * _POOLED_PX**2, classes),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return logits, B x classes, for ``image``, B x 1 x 48 x 48."""
        if self.image_size_px != image.shape[-1]:
            image = F.interpolate(image, self.image_size_px, mode="bilinear", antialias=True)
        return self.head(self.blocks(self.stem(image)))
