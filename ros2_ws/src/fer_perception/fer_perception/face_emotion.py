# SPDX-License-Identifier: Apache-2.0
"""The apparent expression of one face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .emotions import EMOTIONS, UNKNOWN, normalized_entropy, valence_arousal
from .face import BoundingBox, Face
from .recognition.quality import FaceQuality


@dataclass(frozen=True, eq=False)
class FaceEmotion:
    """A face, its identity over time, and its apparent expression.

    :ivar face_id: constant while the face is tracked; empty without tracking.
    :ivar face: the detection.
    :ivar scores: 7, the probability of each of :data:`~.emotions.EMOTIONS`, summing to 1.
    :ivar quality: how well the face can be read, at its last recognition.
    """

    face_id: str
    face: Face
    scores: NDArray[np.float32]
    quality: FaceQuality = FaceQuality()

    @property
    def emotion(self) -> str:
        """Return the label of the highest score."""
        return self.label()

    @property
    def box(self) -> BoundingBox:
        """Return the bounding box of the face in the image."""
        return self.face.box

    @property
    def confidence(self) -> float:
        """Return the highest score, in [0, 1]."""
        return float(self.scores.max())

    @property
    def entropy(self) -> float:
        """Return the entropy of the scores: 0 certain, 1 uniform."""
        return normalized_entropy(self.scores.tolist())

    @property
    def valence_arousal(self) -> tuple[float, float]:
        """Return the mean (valence, arousal) of the scores, each in [-1, 1]."""
        return valence_arousal(self.scores.tolist())

    def label(self, min_confidence: float = 0.0) -> str:
        """Return the class of the highest score; "unknown" below ``min_confidence``."""
        if self.confidence < min_confidence:
            return UNKNOWN
        return EMOTIONS[int(self.scores.argmax())]
