# SPDX-License-Identifier: Apache-2.0
"""Smooth each face's scores over time and keep its label steady."""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..emotions import EMOTIONS

# Mean duration of an expression in the model of the label.
_EXPRESSION_S: Final = 2.0
# The network errs alike on successive images: scores over this share of the time constant count
# as one observation.
_OBSERVATION: Final = 0.3
# Least score in the model: no single image is proof.
_MIN_SCORE: Final = 0.01
# The label changes when another class is at least as probable.
_SURE: Final = 0.9


@dataclass(frozen=True)
class _Smoothed:
    """State of one face.

    :ivar scores: moving average.
    :ivar belief: probability of each class in the model of the label.
    :ivar label: index of the class.
    """

    scores: NDArray[np.float32]
    belief: NDArray[np.float64]
    label: int
    stamp_s: float


class ScoreSmoother:
    """Exponential moving average of each face's scores, and its label.

    The delay does not depend on the frame rate: after a sudden change of expression the average
    has gone 63 % of the way after one time constant and 90 % after 2.3.

    The label does not follow the average: between two classes of about the same score it would
    waver. It is that of a hidden Markov model over the classes, whose observations are the
    scores. It changes when another class has a probability of 0.9, so that the change is likely
    to last: soon where the scores are clear, late or never where they are not.

    :param time_constant_s: in seconds; 0 disables smoothing, and the label is that of the highest
        score.
    :raises ValueError: when the time constant is negative or not finite.
    """

    def __init__(self, time_constant_s: float) -> None:
        self.time_constant_s = time_constant_s
        self._faces: dict[str, _Smoothed] = {}

    @property
    def time_constant_s(self) -> float:
        """Return the time constant in seconds, changeable at any time."""
        return self._time_constant_s

    @time_constant_s.setter
    def time_constant_s(self, value: float) -> None:
        if not (math.isfinite(value) and value >= 0.0):
            raise ValueError(
                f"the time constant is {value} s: expected a finite number of at least 0"
            )
        self._time_constant_s = value

    def update(
        self, face_id: str, scores: NDArray[np.float32], stamp_s: float
    ) -> NDArray[np.float32]:
        """Update the average of ``face_id`` with ``scores`` and return it.

        A new face, or one whose stamp is before its last one, starts with ``scores``.

        :param stamp_s: time of ``scores``, in seconds.
        """
        before = self._faces.get(face_id)
        belief, label = scores.astype(np.float64), int(scores.argmax())
        if before is not None and stamp_s >= before.stamp_s and self.time_constant_s > 0.0:
            dt = stamp_s - before.stamp_s
            belief = self._believed(before.belief, scores, dt)
            label = int(belief.argmax())
            if belief[label] < _SURE:
                label = before.label
            weight = -math.expm1(-dt / self.time_constant_s)
            scores = (before.scores + weight * (scores - before.scores)).astype(np.float32)
        self._faces[face_id] = _Smoothed(scores, belief, label, stamp_s)
        return scores

    def _believed(
        self, belief: NDArray[np.float64], scores: NDArray[np.float32], dt: float
    ) -> NDArray[np.float64]:
        """Return the belief ``dt`` seconds later: the prediction times the likelihood."""
        change = -math.expm1(-dt / _EXPRESSION_S)
        predicted = (1.0 - change) * belief + change * (1.0 - belief) / (len(EMOTIONS) - 1)
        share = min(1.0, dt / max(_OBSERVATION * self.time_constant_s, 1e-9))
        weighted = predicted * np.maximum(scores, _MIN_SCORE).astype(np.float64) ** share
        return np.asarray(weighted / weighted.sum())

    def scores(self, face_id: str) -> NDArray[np.float32]:
        """Return the average of ``face_id`` after its last update.

        :raises KeyError: when the face is unknown.
        """
        return self._faces[face_id].scores

    def label(self, face_id: str) -> str:
        """Return the label of ``face_id`` after its last update.

        :raises KeyError: when the face is unknown.
        """
        return EMOTIONS[self._faces[face_id].label]

    def keep_only(self, face_ids: Set[str]) -> None:
        """Drop all other faces."""
        self._faces = {key: value for key, value in self._faces.items() if key in face_ids}
