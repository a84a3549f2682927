# SPDX-License-Identifier: Apache-2.0
"""Compare the predictions of two runs, for example offline and live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from .emotions_csv import LabelledFace

_SAME_FACE_IOU: Final = 0.5


@dataclass(frozen=True)
class Agreement:
    """Agreement of two runs.

    :ivar frames: frames that both handled.
    :ivar agreeing: frames in which both predict the same faces with the same labels.
    """

    frames: int
    agreeing: int

    @property
    def share(self) -> float:
        """Return the share of agreeing frames, in [0, 1]; 1 without frames."""
        return self.agreeing / self.frames if self.frames else 1.0


def label_agreement(
    first: Mapping[int, Sequence[LabelledFace]], second: Mapping[int, Sequence[LabelledFace]]
) -> Agreement:
    """Compare two runs stamp by stamp.

    :param first: stamp [ns] -> faces; likewise ``second``.
    :returns: counts over the frames that both handled.
    """
    common = first.keys() & second.keys()
    return Agreement(len(common), sum(_same(first[stamp], second[stamp]) for stamp in common))


def _same(first: Sequence[LabelledFace], second: Sequence[LabelledFace]) -> bool:
    if len(first) != len(second):
        return False
    if not first:
        return True
    iou = np.array([[a.box.iou(b.box) for b in second] for a in first])
    rows, columns = linear_sum_assignment(iou, maximize=True)
    return all(
        iou[row, column] >= _SAME_FACE_IOU and first[int(row)].label == second[int(column)].label
        for row, column in zip(rows, columns, strict=True)
    )
