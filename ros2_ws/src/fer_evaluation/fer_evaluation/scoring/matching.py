# SPDX-License-Identifier: Apache-2.0
"""Which seen face is which true face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from .ground_truth import GroundTruthFace
from .predicted_face import PredictedFace

MIN_IOU: Final = 0.4
"""Least intersection over union of a true and a seen face's boxes.

Detectors frame a face differently from people: below the customary 0.5, and far above what two
faces side by side reach.
"""


@dataclass(frozen=True, eq=False)
class FaceMatch:
    """A true face and what was seen of it.

    :ivar seen: None where it was not found.
    """

    ground_truth: GroundTruthFace
    predicted: PredictedFace | None

    @property
    def correct(self) -> bool:
        """Return whether the face was found and its label is the true one."""
        return self.predicted is not None and self.predicted.label == self.ground_truth.label


class FaceMatcher:
    """Matches true and seen faces, frame by frame.

    By the boxes' overlap (Hungarian method). A true face without a box is taken to be the seen
    face that it was before, else the largest that is left.
    """

    def __init__(self, min_iou: float = MIN_IOU) -> None:
        self._min_iou = min_iou
        self._last_predicted_id: dict[str, str] = {}

    def reset(self) -> None:
        """Start anew, as after a step back in time."""
        self._last_predicted_id = {}

    def match(
        self, true_faces: Sequence[GroundTruthFace], predicted_faces: Sequence[PredictedFace]
    ) -> list[FaceMatch]:
        """Return one match for each true face."""
        boxed = [face for face in true_faces if face.box is not None]
        pairs = self._by_overlap(boxed, predicted_faces)
        taken = {id(seen) for _, seen in pairs}
        found = {id(true): seen for true, seen in pairs}
        for true in true_faces:
            if true.box is not None:
                continue
            left = [seen for seen in predicted_faces if id(seen) not in taken]
            if not left:
                continue
            before = self._last_predicted_id.get(true.face_id)
            seen = next((face for face in left if face.face_id == before), None)
            if seen is None:
                seen = max(left, key=lambda face: face.box.area)
            found[id(true)] = seen
            taken.add(id(seen))
            self._last_predicted_id[true.face_id] = seen.face_id
        return [FaceMatch(true, found.get(id(true))) for true in true_faces]

    def _by_overlap(
        self, true_faces: Sequence[GroundTruthFace], predicted_faces: Sequence[PredictedFace]
    ) -> list[tuple[GroundTruthFace, PredictedFace]]:
        if not true_faces or not predicted_faces:
            return []
        iou = np.array(
            [
                [seen.box.iou(true.box) if true.box else 0.0 for seen in predicted_faces]
                for true in true_faces
            ]
        )
        iou[iou < self._min_iou] = 0.0
        rows, columns = linear_sum_assignment(iou, maximize=True)
        return [
            (true_faces[int(row)], predicted_faces[int(column)])
            for row, column in zip(rows, columns, strict=True)
            if iou[row, column] > 0.0
        ]
