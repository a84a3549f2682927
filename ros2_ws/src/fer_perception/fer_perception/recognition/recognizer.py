# SPDX-License-Identifier: Apache-2.0
"""Gives each aligned crop its scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..emotions import EMOTIONS
from .alignment import CROP_SIZE_PX
from .model_store import Model, ModelError
from .network import open_network


class EmotionRecognizer:
    """Runs a trained network on aligned grey crops.

    :param model: from :func:`~.model_store.load_model`.
    :param flip_average: averages each crop's logits with those of its mirror image, which is a
        little more accurate and takes twice as long.
    :param threads: CPU threads.
    :raises ModelError: when the model's graph cannot be run, or answers something else than
        scores of the classes.
    """

    def __init__(self, model: Model, flip_average: bool = False, threads: int = 1) -> None:
        self._temperature = np.float32(model.config.temperature)
        self._flip_average = flip_average
        self.model_id = model.model_id
        self.sha256 = model.config.sha256
        try:
            self._network = open_network(model.graph, threads)
            # The first call is many times slower than the others: better now than on a face.
            scores = self.recognize(np.zeros((1, CROP_SIZE_PX, CROP_SIZE_PX), np.uint8))
        except Exception as error:  # ONNX Runtime's errors have no class in common
            reason = " ".join(str(error).split())
            raise ModelError(f"the graph of {model.model_id} cannot be run: {reason}") from error
        if scores.shape != (1, len(EMOTIONS)) or not np.isfinite(scores).all():
            raise ModelError(
                f"the graph of {model.model_id} answers {scores.shape[1:]} scores, or no numbers: "
                f"expected {len(EMOTIONS)}; export the model anew"
            )

    def recognize(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the scores of each crop, N x 7, each row summing to 1.

        :param crops: N x 48 x 48, from :func:`~.alignment.align_faces`.
        """
        if not len(crops):
            return np.empty((0, len(EMOTIONS)), np.float32)
        faces = np.concatenate([crops, crops[:, :, ::-1]]) if self._flip_average else crops
        logits = self._network(np.ascontiguousarray(faces))
        if self._flip_average:
            logits = logits.reshape(2, len(crops), -1).mean(axis=0)
        return _softmax(logits / self._temperature)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
