# SPDX-License-Identifier: Apache-2.0
"""The apparent expression of a face, and how readable it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from .emotions import EMOTIONS, UNKNOWN, normalized_entropy, valence_arousal
from .face import BoundingBox, Face


class Fault(IntFlag):
    """What makes a face hard to read; the values of ``EmotionStamped.quality_faults``.

    DARK stands for the noise that a camera adds in the dark, and for hardly any contrast.
    """

    SMALL = 1
    CUT = 2
    TURNED = 4
    BLURRED = 8
    DARK = 16


@dataclass(frozen=True)
class FaceQuality:
    """How well a face can be read.

    :ivar value: the accuracy to expect relative to large, sharp, frontal, well-lit faces, in
        [0, 1]; NaN where not assessed.
    :ivar faults: what lowers it.
    :ivar trust: share of the network's evidence that is to be believed, in [0, 1]. It is above
        ``value``, because on most poor faces the network is less sure by itself.
    """

    value: float = math.nan
    faults: Fault = Fault(0)
    trust: float = 1.0


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
