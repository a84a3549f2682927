# SPDX-License-Identifier: Apache-2.0
"""Spatial transformer of Jaderberg et al. 2015, "Spatial Transformer Networks"."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LocalizationNetwork(nn.Module):
    """Regress the affine map theta (B x 2 x 3) from a 1 x 48 x 48 image.

    It is initialised to the identity.

    :param attention: applied to the 8 x 42 x 42 map after the first convolution (the report's
        Deep-Emotion + MSA); None for none.
    """

    def __init__(self, attention: nn.Module | None = None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, kernel_size=7)
        self.attention = attention if attention is not None else nn.Identity()
        self.conv2 = nn.Conv2d(8, 10, kernel_size=5)
        self.hidden = nn.Linear(10 * 8 * 8, 32)
        self.theta = nn.Linear(32, 6)
        nn.init.zeros_(self.theta.weight)
        with torch.no_grad():
            self.theta.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]))

    def forward(self, image: Tensor) -> Tensor:
        """Return theta, B x 2 x 3, for ``image``, B x 1 x 48 x 48."""
        features = self.attention(self.conv1(image))
        features = F.relu(F.max_pool2d(features, 2))
        features = F.relu(F.max_pool2d(self.conv2(features), 2))
        return self.theta(F.relu(self.hidden(features.flatten(1)))).view(-1, 2, 3)


class SpatialTransformer(nn.Module):
    """Warp an image by the regressed affine map.

    The regular grid of the output is mapped by ``(x_s, y_s) = A_theta (x_t, y_t, 1)`` and the
    input is sampled there bilinearly (equation 1 of the paper).

    :ivar output_size_px: width and height of the warped image; training lowers it for its first
        epochs, because a smaller image trains faster.
    """

    def __init__(self, localization: LocalizationNetwork, output_size_px: int = 48) -> None:
        super().__init__()
        self.localization = localization
        self.output_size_px = output_size_px

    def forward(self, image: Tensor) -> Tensor:
        """Warp ``image``, B x 1 x 48 x 48, to B x 1 x S x S."""
        # Coordinates in half precision would be off by a tenth of a pixel.
        with torch.autocast(image.device.type, enabled=False):
            theta = self.localization(image.float())
            size = [image.shape[0], 1, self.output_size_px, self.output_size_px]
            grid = F.affine_grid(theta, size, align_corners=False)
            return F.grid_sample(image.float(), grid, align_corners=False)
