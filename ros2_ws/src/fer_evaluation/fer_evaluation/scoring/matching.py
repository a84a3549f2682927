# SPDX-License-Identifier: Apache-2.0
"""Match predictions to ground truth by IoU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from .ground_truth import GroundTruthFace
from .predicted_face import PredictedFace

MIN_IOU: Final = 0.4
"""Least intersection over union of a ground-truth and a predicted box.

Detectors frame a face differently from people: below the customary 0.5, and far above what two
faces side by side reach.
"""


@dataclass(frozen=True, eq=False)
class FaceMatch:
    """A ground-truth face and its prediction.

    :ivar predicted: None where the face was not found.
    """

    ground_truth: GroundTruthFace
    predicted: PredictedFace | None

    @property
    def correct(self) -> bool:
        """Return whether the face was found with the right label."""
        return self.predicted is not None and self.predicted.label == self.ground_truth.label


class FaceMatcher:
    """Match ground-truth and predicted faces frame by frame.

    Boxes are matched by IoU with the Hungarian method. A ground-truth face without a box matches
    the predicted face with the id it had before, else the largest that remains.

    :param min_iou: see :data:`MIN_IOU`.
    """

    def __init__(self, min_iou: float = MIN_IOU) -> None:
        self._min_iou = min_iou
        self._last_predicted_id: dict[str, str] = {}

    def reset(self) -> None:
        """Restart after a step back in time."""
        self._last_predicted_id = {}

    def match(
        self, truth: Sequence[GroundTruthFace], predictions: Sequence[PredictedFace]
    ) -> list[FaceMatch]:
        """Return one match per ground-truth face."""
        pairs = self._by_iou([face for face in truth if face.box is not None], predictions)
        taken = {id(prediction) for _, prediction in pairs}
        found = {id(face): prediction for face, prediction in pairs}
        for face in truth:
            if face.box is not None:
                continue
            free = [prediction for prediction in predictions if id(prediction) not in taken]
            if not free:
                continue
            last_id = self._last_predicted_id.get(face.face_id)
            chosen = next(
                (prediction for prediction in free if prediction.face_id == last_id), None
            )
            if chosen is None:
                chosen = max(free, key=lambda prediction: prediction.box.area)
            found[id(face)] = chosen
            taken.add(id(chosen))
            self._last_predicted_id[face.face_id] = chosen.face_id
        return [FaceMatch(face, found.get(id(face))) for face in truth]

    def _by_iou(
        self, truth: Sequence[GroundTruthFace], predictions: Sequence[PredictedFace]
    ) -> list[tuple[GroundTruthFace, PredictedFace]]:
        if not truth or not predictions:
            return []
        iou = np.array(
            [
                [prediction.box.iou(face.box) if face.box else 0.0 for prediction in predictions]
                for face in truth
            ]
        )
        iou[iou < self._min_iou] = 0.0
        rows, columns = linear_sum_assignment(iou, maximize=True)
        return [
            (truth[int(row)], predictions[int(column)])
            for row, column in zip(rows, columns, strict=True)
            if iou[row, column] > 0.0
        ]
