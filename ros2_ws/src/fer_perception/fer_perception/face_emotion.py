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
    :ivar steady_label: of a tracked face, which does not waver between near-equal scores; empty
        for the class of the highest score.
    """

    face_id: str
    face: Face
    scores: NDArray[np.float32]
    quality: FaceQuality = FaceQuality()
    steady_label: str = ""

    @property
    def emotion(self) -> str:
        """Return the label."""
        return self.label()

    @property
    def box(self) -> BoundingBox:
        """Return the bounding box of the face in the image."""
        return self.face.box

    @property
    def confidence(self) -> float:
        """Return the score of the label, in [0, 1]."""
        return float(self.scores[EMOTIONS.index(self.emotion)])

    @property
    def entropy(self) -> float:
        """Return the entropy of the scores: 0 certain, 1 uniform."""
        return normalized_entropy(self.scores.tolist())

    @property
    def valence_arousal(self) -> tuple[float, float]:
        """Return the mean (valence, arousal) of the scores, each in [-1, 1]."""
        return valence_arousal(self.scores.tolist())

    def label(self, min_confidence: float = 0.0) -> str:
        """Return the steady label, else the class of the highest score.

        :param min_confidence: "unknown" for a lower score.
        """
        label = self.steady_label or EMOTIONS[int(self.scores.argmax())]
        return UNKNOWN if self.scores[EMOTIONS.index(label)] < min_confidence else label
