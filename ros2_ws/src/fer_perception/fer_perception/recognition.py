# SPDX-License-Identifier: Apache-2.0
"""Gives each aligned crop its scores."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from .alignment import CROP_SIZE_PX
from .emotions import EMOTIONS
from .model_store import Model
from .normalization import grey_levels, normalize


class EmotionRecognizer:
    """Runs a trained network on aligned grey crops.

    :param model: from :func:`~.model_store.load_model`.
    :param flip_average: averages each crop's logits with those of its mirror image, which is a
        little more accurate and takes twice as long.
    """

    def __init__(self, model: Model, flip_average: bool = False) -> None:
        self._network = model.network
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._temperature = model.config.temperature
        self._flip_average = flip_average
        self.model_id = model.model_id
        # The first call is many times slower than the others: better now than on a face.
        self.recognize(np.zeros((1, CROP_SIZE_PX, CROP_SIZE_PX), np.uint8))

    def recognize(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the scores of each crop, N x 7, each row summing to 1.

        :param crops: N x 48 x 48, from :func:`~.alignment.align_faces`.
        """
        if not len(crops):
            return np.empty((0, len(EMOTIONS)), np.float32)
        with torch.inference_mode():
            faces = normalize(grey_levels(torch.from_numpy(crops)))
            if self._flip_average:
                faces = torch.cat([faces, faces.flip(3)])
            logits = self._network(faces.contiguous(memory_format=torch.channels_last))
            if self._flip_average:
                logits = logits.view(2, len(crops), -1).mean(dim=0)
            return torch.softmax(logits / self._temperature, dim=1).numpy()
