# SPDX-License-Identifier: Apache-2.0
"""Measure selective prediction: accuracy and coverage at a confidence threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_common.atomic_file import replacing
from fer_evaluation.datasets.evaluation_sets import PRIVATE7, REPORT
from fer_evaluation.datasets.fer2013 import Fer2013

_ACCURACIES: Final = (0.90, 0.95)
_QUANTILES = np.linspace(0.0, 0.98, 197)


@dataclass(frozen=True)
class Abstention:
    """A confidence threshold with its coverage and accuracy.

    :ivar min_confidence: predictions below it become "unknown".
    :ivar coverage: share of pictures with a prediction.
    :ivar accuracy: share of correct ones among the predictions.
    """

    min_confidence: float
    coverage: float
    accuracy: float


def abstain(
    scores: NDArray[np.floating], labels: NDArray[np.int64], min_confidence: float
) -> Abstention:
    """Return coverage and accuracy of ``scores``, N x classes, at ``min_confidence``."""
    covered = scores.max(axis=1) >= min_confidence
    correct = scores[covered].argmax(axis=1) == labels[covered]
    accuracy = correct.mean() if covered.any() else 1.0
    return Abstention(min_confidence, float(covered.mean()), float(accuracy))


def threshold_for(
    accuracy: float, scores: NDArray[np.floating], labels: NDArray[np.int64]
) -> float:
    """Return the lowest confidence threshold at which predictions reach ``accuracy``.

    Fit it on data that is not reported. 1 when no threshold reaches it.
    """
    confidence = scores.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    right = (scores.argmax(axis=1) == labels)[order]
    reached = np.cumsum(right) / np.arange(1, len(right) + 1)
    enough = np.flatnonzero(reached >= accuracy)
    return float(confidence[order][enough[-1]]) if len(enough) else 1.0


def measure_abstention(scores: NDArray[np.float32], data: Fer2013) -> list[Abstention]:
    """Return the effect on ``report`` of thresholds fitted on ``private7``."""
    validation_rows, validation_labels = PRIVATE7.rows_and_labels(data)
    rows, labels = REPORT.rows_and_labels(data)
    return [
        abstain(
            scores[rows],
            labels,
            threshold_for(accuracy, scores[validation_rows], validation_labels),
        )
        for accuracy in _ACCURACIES
    ]


def draw_abstention(
    path: Path,
    scores: NDArray[np.floating],
    labels: NDArray[np.int64],
    marked: Sequence[Abstention],
    title: str,
) -> None:
    """Plot accuracy over coverage, with ``marked`` thresholds."""
    from matplotlib.figure import Figure

    confidence = scores.max(axis=1)
    points = [abstain(scores, labels, value) for value in np.quantile(confidence, _QUANTILES)]
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([100 * p.coverage for p in points], [100 * p.accuracy for p in points])
    for point in marked:
        x, y = 100 * point.coverage, 100 * point.accuracy
        axes.plot(x, y, "o", color="tab:red")
        axes.annotate(
            f"min_confidence {point.min_confidence:.2f}:\n{y:.1f} % of {x:.0f} % covered",
            (x, y),
            xytext=(-8, -8),
            textcoords="offset points",
            ha="right",
            va="top",
        )
    axes.set(xlabel="coverage, %", ylabel="accuracy, %", title=title)
    axes.grid(alpha=0.3)
    with replacing(path) as part:
        figure.savefig(part, dpi=100, format="png")
