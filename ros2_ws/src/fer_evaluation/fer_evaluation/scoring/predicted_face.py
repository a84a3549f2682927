# SPDX-License-Identifier: Apache-2.0
"""The predictions on a frame, offline or live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_perception.emotions import EMOTIONS
from fer_perception.face import BoundingBox
from fer_perception.face_emotion import FaceEmotion


@dataclass(frozen=True, eq=False)
class PredictedFace:
    """A predicted face.

    :ivar face_id: id given by the tracker.
    :ivar box: its place, inside the image [px].
    :ivar label: its class, or "unknown".
    :ivar scores: 7, in the order of :data:`~fer_perception.emotions.EMOTIONS`.
    """

    face_id: str
    box: BoundingBox
    label: str
    scores: NDArray[np.float32]

    @property
    def confidence(self) -> float:
        """Return the score of the label, in [0, 1]; the highest one of "unknown".

        A steady label may have another score than the highest.
        """
        is_known = self.label in EMOTIONS
        return float(self.scores[EMOTIONS.index(self.label)] if is_known else self.scores.max())


@dataclass(frozen=True, eq=False)
class PredictedFrame:
    """The predicted faces of one frame.

    :ivar stamp_ns: time of the frame.
    :ivar image_size: (width, height) in pixels.
    :ivar faces: largest first.
    """

    stamp_ns: int
    image_size: tuple[int, int]
    faces: tuple[PredictedFace, ...]


def predicted_frame(
    stamp_ns: int,
    image_size: tuple[int, int],
    emotions: Sequence[FaceEmotion],
    min_confidence: float,
) -> PredictedFrame:
    """Return the pipeline's predictions on a frame.

    :param min_confidence: faces below it are labelled "unknown".
    """
    faces = tuple(
        PredictedFace(
            emotion.face_id,
            emotion.face.box.clipped(*image_size),
            emotion.label(min_confidence),
            emotion.scores,
        )
        for emotion in emotions
    )
    return PredictedFrame(stamp_ns, image_size, faces)
