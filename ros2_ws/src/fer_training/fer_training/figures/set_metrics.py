# SPDX-License-Identifier: Apache-2.0
"""Metrics of a model's scores on one set."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    recall_score,
)
from torchmetrics.functional.classification import multiclass_calibration_error

from fer_evaluation.datasets.votes import soft_targets
from fer_perception.emotions import EMOTIONS

_CALIBRATION_BINS: Final = 15


@dataclass(frozen=True)
class SetMetrics:
    """Metrics of a model on one set.

    Contempt, which a model of seven classes cannot predict, counts as wrong in ``accuracy`` and
    ``balanced_accuracy``; the other figures are over the pictures of the seven classes.

    :ivar images: pictures in the set.
    :ivar accuracy: share of correct predictions.
    :ivar balanced_accuracy: mean recall.
    :ivar macro_f1: mean of the classes' F1 scores.
    :ivar nll: negative log-likelihood of the label, in nats.
    :ivar ece: expected calibration error, over 15 bins of equal width.
    :ivar kl_to_raters: Kullback-Leibler divergence from the raters' distribution to the scores,
        in nats.
    :ivar recall: of each class.
    """

    images: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    nll: float
    ece: float
    kl_to_raters: float
    recall: dict[str, float]


def measure(
    scores: NDArray[np.float32], labels: NDArray[np.int64], votes: NDArray[np.integer]
) -> SetMetrics:
    """Return the metrics of ``scores`` on pictures with these labels and votes."""
    predicted = scores.argmax(axis=1)
    ours = labels < len(EMOTIONS)
    classes = np.arange(len(EMOTIONS))
    recall = recall_score(labels, predicted, labels=classes, average=None, zero_division=0.0)
    with warnings.catch_warnings():  # scikit-learn warns of contempt, which is never predicted
        warnings.simplefilter("ignore", UserWarning)
        balanced = balanced_accuracy_score(labels, predicted)
    exact = scores[ours].astype(np.float64)  # sums to 1 within the precision of its type
    ece = multiclass_calibration_error(
        torch.from_numpy(scores[ours]),
        torch.from_numpy(labels[ours]),
        num_classes=len(EMOTIONS),
        n_bins=_CALIBRATION_BINS,
    )
    raters = torch.from_numpy(soft_targets(votes[ours]))
    log_scores = torch.from_numpy(scores[ours]).clamp(min=1e-12).log()
    divergence = torch.nn.functional.kl_div(log_scores, raters, reduction="batchmean")
    return SetMetrics(
        images=len(labels),
        accuracy=rounded(accuracy_score(labels, predicted)),
        balanced_accuracy=rounded(balanced),
        macro_f1=rounded(f1_score(labels[ours], predicted[ours], average="macro")),
        nll=rounded(log_loss(labels[ours], exact / exact.sum(1, keepdims=True), labels=classes)),
        ece=rounded(ece.item()),
        kl_to_raters=rounded(divergence.item()),
        recall={name: rounded(value) for name, value in zip(EMOTIONS, recall, strict=True)},
    )


def rounded(value: float) -> float:
    """Return ``value`` without the decimals that differ between processors."""
    return round(float(value), 5)
