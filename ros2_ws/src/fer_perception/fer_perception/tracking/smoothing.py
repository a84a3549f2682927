# SPDX-License-Identifier: Apache-2.0
"""Smooth the scores of each face over time."""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class _Smoothed:
    scores: NDArray[np.float32]
    stamp_s: float


class ScoreSmoother:
    """Exponential moving average (EMA) of the scores of each face.

    The delay does not depend on the frame rate: after a sudden change of expression the average
    has gone 63 % of the way after one time constant and 90 % after 2.3; the label changes after
    about 0.7 time constants.

    :param time_constant_s: in seconds; 0 disables smoothing.
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
        if before is not None and stamp_s >= before.stamp_s and self.time_constant_s > 0.0:
            weight = -math.expm1(-(stamp_s - before.stamp_s) / self.time_constant_s)
            scores = (before.scores + weight * (scores - before.scores)).astype(np.float32)
        self._faces[face_id] = _Smoothed(scores, stamp_s)
        return scores

    def scores(self, face_id: str) -> NDArray[np.float32]:
        """Return the average of ``face_id`` after its last update.

        :raises KeyError: when the face is unknown.
        """
        return self._faces[face_id].scores

    def keep_only(self, face_ids: Set[str]) -> None:
        """Drop all other faces."""
        self._faces = {key: value for key, value in self._faces.items() if key in face_ids}
