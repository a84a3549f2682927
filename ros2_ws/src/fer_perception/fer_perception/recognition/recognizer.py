# SPDX-License-Identifier: Apache-2.0
"""Score aligned crops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..emotions import EMOTIONS
from ..inference.model_files import ModelError
from .alignment import CROP_SIZE_PX
from .model_store import Model
from .network import open_network

__all__ = ["EmotionRecognizer"]


class EmotionRecognizer:
    """Run a trained network on aligned grey crops.

    :param model: from :func:`~.model_store.load_model`.
    :param flip_average: average each crop's logits with those of its mirror image: a little more
        accurate, twice the time.
    :param threads: CPU threads, at least 1.
    :param execution_provider: one of :data:`~..inference.onnx_session.EXECUTION_PROVIDERS`.
    :ivar execution_provider: the provider in use.
    :raises ModelError: when the graph cannot be run, or its output is not one score per class.
    """

    def __init__(
        self,
        model: Model,
        flip_average: bool = False,
        threads: int = 1,
        execution_provider: str = "cpu",
    ) -> None:
        self._temperature = np.float32(model.config.temperature)
        shares = model.config.class_shares or (1.0,) * len(EMOTIONS)
        self._log_shares = np.log(np.array(shares, np.float32))
        self._flip_average = flip_average
        self.model_id = model.model_id
        self.sha256 = model.config.sha256
        try:
            self._network = open_network(model, threads, execution_provider)
            # Warm-up: the first call is many times slower than the others.
            scores = self.recognize(np.zeros((1, CROP_SIZE_PX, CROP_SIZE_PX), np.uint8))
        except Exception as error:  # ONNX Runtime's errors have no common class
            reason = " ".join(str(error).split())
            raise ModelError(f"the graph of {model.model_id} cannot be run: {reason}") from error
        if scores.shape != (1, len(EMOTIONS)) or not np.isfinite(scores).all():
            raise ModelError(
                f"the graph of {model.model_id} returns {scores.shape[1:]} scores, or values that "
                f"are not finite: expected {len(EMOTIONS)}; export the model again"
            )
        self.execution_provider = self._network.execution_provider

    def recognize(
        self, crops: NDArray[np.uint8], prior_adjustment: float = 0.0
    ) -> NDArray[np.float32]:
        """Return the scores of each crop, N x 7, each row summing to 1.

        By Bayes' rule, scores of classes with shares s become those of classes with shares
        s^(1 - t) when divided by s^t: logit adjustment (Menon et al. 2021).

        :param crops: N x 48 x 48, from :func:`~.alignment.align_faces`.
        :param prior_adjustment: t in [0, 1]: 0 for classes as frequent as in training, 1 for
            classes of equal frequency. A model without ``class_shares`` is not adjusted.
        """
        if not len(crops):
            return np.empty((0, len(EMOTIONS)), np.float32)
        faces = np.concatenate([crops, crops[:, :, ::-1]]) if self._flip_average else crops
        logits = self._network.run(np.ascontiguousarray(faces))
        if self._flip_average:
            logits = logits.reshape(2, len(crops), -1).mean(axis=0)
        adjusted = logits / self._temperature - prior_adjustment * self._log_shares
        return _softmax(adjusted.astype(np.float32))


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
