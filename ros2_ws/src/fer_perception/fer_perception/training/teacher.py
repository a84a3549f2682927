# SPDX-License-Identifier: Apache-2.0
"""Softens the raters' votes with the scores of a trained model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..model_store import Precision, load_model, read_config
from ..recognition import EmotionRecognizer

_BATCH = 64


def teacher_scores(folder: Path, images: Tensor) -> Tensor:
    """Return the scores, N x classes, that the model in ``folder`` gives ``images`` unchanged.

    Ten raters estimate how a face is read with an error of up to 0.16 in each share; what a
    network learnt from all other faces has errors of another kind, so that the mean of both is
    the better target (Hinton et al. 2015; Furlanello et al. 2018, "Born-Again Neural Networks").
    Each picture and its mirror image are averaged, in 8 bits where the model has them.

    :param images: N x 48 x 48, grey, uint8.
    :raises ~fer_perception.model_store.ModelError: when the model cannot be loaded.
    """
    precision: Precision = "int8" if "int8" in read_config(folder).graph_sha256 else "float32"
    recognizer = EmotionRecognizer(load_model(folder, precision), flip_average=True)
    scores = [recognizer.recognize(part.numpy()) for part in images.split(_BATCH)]
    return torch.from_numpy(np.concatenate(scores))
