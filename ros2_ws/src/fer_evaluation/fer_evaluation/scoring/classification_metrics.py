# SPDX-License-Identifier: Apache-2.0
"""Classification metrics: confusion matrix, accuracy, F1 and calibration."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    precision_recall_fscore_support,
)

from fer_perception.emotions import EMOTIONS, UNKNOWN

PREDICTED_LABELS: Final = (*EMOTIONS, UNKNOWN)
"""The labels that can be predicted; columns of the confusion matrix."""

CALIBRATION_BINS: Final = 15
"""Bins of equal width for the expected calibration error (Guo et al. 2017)."""


@dataclass(frozen=True)
class ClassFigures:
    """Metrics of one class.

    :ivar support: ground-truth faces of the class.
    """

    precision: float
    recall: float
    f1: float
    support: int


class ClassificationMetrics:
    """Count predictions in memory of a fixed size.

    :ivar confusion: 7 x 8, ground truth by predicted label of :data:`PREDICTED_LABELS`.
    :ivar bin_count: 15, predictions by confidence.
    :ivar bin_confidence: 15, sum of their confidences.
    :ivar bin_correct: 15, number of correct ones.
    """

    def __init__(self) -> None:
        self.confusion: NDArray[np.int64] = np.zeros(
            (len(EMOTIONS), len(PREDICTED_LABELS)), np.int64
        )
        self.bin_count: NDArray[np.int64] = np.zeros(CALIBRATION_BINS, np.int64)
        self.bin_confidence: NDArray[np.float64] = np.zeros(CALIBRATION_BINS)
        self.bin_correct: NDArray[np.int64] = np.zeros(CALIBRATION_BINS, np.int64)

    def add(self, true_label: str, predicted: str, scores: NDArray[np.float32]) -> None:
        """Count a prediction.

        :param predicted: one of :data:`PREDICTED_LABELS`.
        :param scores: 7; calibration uses their maximum, also where "unknown" is predicted.
        """
        self.confusion[EMOTIONS.index(true_label), PREDICTED_LABELS.index(predicted)] += 1
        best = int(scores.argmax())
        confidence = min(float(scores[best]), 1.0)
        # Bins are open to the left and closed to the right, as is customary.
        index = min(max(int(np.ceil(confidence * CALIBRATION_BINS)) - 1, 0), CALIBRATION_BINS - 1)
        self.bin_count[index] += 1
        self.bin_confidence[index] += confidence
        self.bin_correct[index] += EMOTIONS[best] == true_label

    @property
    def count(self) -> int:
        """Return the number of predictions."""
        return int(self.confusion.sum())

    def accuracy(self) -> float | None:
        """Return the share of correct predictions; None without any."""
        truth, predicted, counts = self._cells()
        return (
            float(accuracy_score(truth, predicted, sample_weight=counts)) if counts.size else None
        )

    def balanced_accuracy(self) -> float | None:
        """Return the mean recall of the classes that occur; None without predictions."""
        truth, predicted, counts = self._cells()
        if not counts.size:
            return None
        with warnings.catch_warnings():  # about predicted classes that never occur
            warnings.simplefilter("ignore", UserWarning)
            return float(balanced_accuracy_score(truth, predicted, sample_weight=counts))

    def classes(self) -> dict[str, ClassFigures]:
        """Return the metrics of each class that occurs in the ground truth."""
        truth, predicted, counts = self._cells()
        present = [index for index in range(len(EMOTIONS)) if self.confusion[index].any()]
        if not present:
            return {}
        figures = precision_recall_fscore_support(
            truth, predicted, labels=present, sample_weight=counts, zero_division=0.0
        )
        return {
            EMOTIONS[index]: ClassFigures(
                float(precision), float(recall), float(f1), round(float(support))
            )
            for index, precision, recall, f1, support in zip(present, *figures, strict=True)
        }

    def macro_f1(self) -> float | None:
        """Return the mean F1 score of the classes in the ground truth."""
        classes = self.classes()
        return float(np.mean([figures.f1 for figures in classes.values()])) if classes else None

    def ece(self) -> float | None:
        """Return the expected calibration error; None without predictions."""
        total = self.bin_count.sum()
        if not total:
            return None
        return float(np.abs(self.bin_correct - self.bin_confidence).sum() / total)

    def _cells(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return ground truth, prediction and count of each non-empty cell."""
        truth, predicted = np.nonzero(self.confusion)
        return truth, predicted, self.confusion[truth, predicted]
