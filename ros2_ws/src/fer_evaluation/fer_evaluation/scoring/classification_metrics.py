# SPDX-License-Identifier: Apache-2.0
"""How often each class was answered for each, and how sure the answers were."""

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
"""What can be answered; columns of the confusion matrix."""

CALIBRATION_BINS: Final = 15
"""Bins of equal width for the expected calibration error (Guo et al. 2017)."""


@dataclass(frozen=True)
class ClassFigures:
    """How one class fared.

    :ivar support: faces that truly show it.
    """

    precision: float
    recall: float
    f1: float
    support: int


class ClassificationMetrics:
    """Counts answers; its size does not depend on how many there are.

    :ivar confusion: 7 x 8, true class by answered class of :data:`PREDICTED_LABELS`.
    :ivar bin_count: 15, answers by confidence.
    :ivar bin_confidence: 15, sum of their confidences.
    :ivar bin_right: 15, how many of them were right.
    """

    def __init__(self) -> None:
        self.confusion: NDArray[np.int64] = np.zeros(
            (len(EMOTIONS), len(PREDICTED_LABELS)), np.int64
        )
        self.bin_count: NDArray[np.int64] = np.zeros(CALIBRATION_BINS, np.int64)
        self.bin_confidence: NDArray[np.float64] = np.zeros(CALIBRATION_BINS)
        self.bin_right: NDArray[np.int64] = np.zeros(CALIBRATION_BINS, np.int64)

    def add(self, true_label: str, answer: str, scores: NDArray[np.float32]) -> None:
        """Count an answer.

        :param answer: one of :data:`PREDICTED_LABELS`.
        :param scores: 7; the calibration is about their maximum, also where the answer is
            "unknown".
        """
        self.confusion[EMOTIONS.index(true_label), PREDICTED_LABELS.index(answer)] += 1
        best = int(scores.argmax())
        confidence = min(float(scores[best]), 1.0)
        # Bins are open to the left and closed to the right, as is customary.
        index = min(max(int(np.ceil(confidence * CALIBRATION_BINS)) - 1, 0), CALIBRATION_BINS - 1)
        self.bin_count[index] += 1
        self.bin_confidence[index] += confidence
        self.bin_right[index] += EMOTIONS[best] == true_label

    @property
    def count(self) -> int:
        """Return how many answers were counted."""
        return int(self.confusion.sum())

    def accuracy(self) -> float | None:
        """Return the share of right answers; None without any."""
        true, answered, counts = self._cells()
        return float(accuracy_score(true, answered, sample_weight=counts)) if counts.size else None

    def balanced_accuracy(self) -> float | None:
        """Return the mean of the recalls of the classes that occur; None without answers."""
        true, answered, counts = self._cells()
        if not counts.size:
            return None
        with warnings.catch_warnings():  # of classes answered that never truly occur
            warnings.simplefilter("ignore", UserWarning)
            return float(balanced_accuracy_score(true, answered, sample_weight=counts))

    def classes(self) -> dict[str, ClassFigures]:
        """Return the figures of each class that truly occurs."""
        true, answered, counts = self._cells()
        present = [index for index in range(len(EMOTIONS)) if self.confusion[index].any()]
        if not present:
            return {}
        figures = precision_recall_fscore_support(
            true, answered, labels=present, sample_weight=counts, zero_division=0.0
        )
        return {
            EMOTIONS[index]: ClassFigures(
                float(precision), float(recall), float(f1), round(float(support))
            )
            for index, precision, recall, f1, support in zip(present, *figures, strict=True)
        }

    def macro_f1(self) -> float | None:
        """Return the mean of the F1 scores of the classes that truly occur."""
        classes = self.classes()
        return float(np.mean([figures.f1 for figures in classes.values()])) if classes else None

    def ece(self) -> float | None:
        """Return the expected calibration error; None without answers."""
        total = self.bin_count.sum()
        if not total:
            return None
        return float(np.abs(self.bin_right - self.bin_confidence).sum() / total)

    def _cells(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return true class, answered class and count of each cell that is not empty."""
        true, answered = np.nonzero(self.confusion)
        return true, answered, self.confusion[true, answered]
