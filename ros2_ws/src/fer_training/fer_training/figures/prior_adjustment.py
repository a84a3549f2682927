# SPDX-License-Identifier: Apache-2.0
"""Measure what ``prior_adjustment`` does to a model's scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from fer_evaluation.datasets.evaluation_sets import PRIVATE7, REPORT
from fer_evaluation.datasets.fer2013 import Fer2013

from .set_metrics import measure

_PRIOR_ADJUSTMENTS: Final = (0.0, 0.3, 1.0)


def measure_prior_adjustments(
    scores: NDArray[np.float32], data: Fer2013, class_shares: Sequence[float]
) -> list[dict[str, Any]]:
    """Return the effect of ``prior_adjustment`` on ``report`` and ``private7``.

    :param class_shares: of the model; without them it has no effect, and the list is empty.
    """
    points: list[dict[str, Any]] = []
    if not class_shares:
        return points
    log_shares = np.log(np.array(class_shares, np.float32))
    for adjustment in _PRIOR_ADJUSTMENTS:
        point: dict[str, Any] = {"prior_adjustment": adjustment}
        for evaluation_set in (REPORT, PRIVATE7):
            rows, labels = evaluation_set.rows_and_labels(data)
            logits = np.log(scores[rows]) - adjustment * log_shares
            adjusted = softmax(logits, axis=1).astype(np.float32)
            metrics = measure(adjusted, labels, data.votes[rows])
            point[evaluation_set.name] = {
                name: getattr(metrics, name) for name in ("accuracy", "balanced_accuracy", "ece")
            }
        points.append(point)
    return points
