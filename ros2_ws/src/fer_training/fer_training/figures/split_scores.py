# SPDX-License-Identifier: Apache-2.0
"""Score the test pictures with a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from fer_evaluation.datasets.evaluation_sets import EVALUATION_SETS
from fer_evaluation.datasets.fer2013 import Fer2013
from fer_perception.emotions import EMOTIONS
from fer_perception.recognition.model_store import Model
from fer_perception.recognition.recognizer import EmotionRecognizer

# Attention maps of larger batches take gigabytes.
_BATCH: Final = 32


@dataclass(frozen=True)
class SplitScores:
    """Scores of the test pictures, N x 7; NaN for other rows.

    :ivar single_view: of the pictures.
    :ivar flip_average: of the pictures and their mirror images together.
    """

    single_view: NDArray[np.float32]
    flip_average: NDArray[np.float32]


def score_images(model: Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the node's scores of ``images``, N x 7."""
    recognizer = EmotionRecognizer(model)
    return np.concatenate(
        [recognizer.recognize(images[i : i + _BATCH]) for i in range(0, len(images), _BATCH)]
    )


def score_splits(model: Model, data: Fer2013) -> SplitScores:
    """Return the scores of all test pictures, shared by the sets."""
    single = np.full((len(data.usage), len(EMOTIONS)), np.nan, np.float32)
    both = single.copy()
    for usage in {evaluation_set.usage for evaluation_set in EVALUATION_SETS}:
        split = data.rows(usage)
        images = data.images[split]
        single[split] = score_images(model, images)
        # The mean of the logits equals that of the scores' logarithms up to a constant.
        mirrored = score_images(model, np.ascontiguousarray(images[:, :, ::-1]))
        both[split] = softmax((np.log(single[split]) + np.log(mirrored)) / 2, axis=1)
    return SplitScores(single, both)
