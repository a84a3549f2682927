# SPDX-License-Identifier: Apache-2.0
"""Measure how long each face has met a condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .face import Face


@dataclass
class _Hold:
    """One face's time with the condition met.

    :ivar since_s: None while it is not met.
    :ivar lapse_since_s: when a lapse began that has not yet ended the hold.
    """

    since_s: float | None = None
    lapse_since_s: float | None = None

    def update(self, is_met: bool, time_s: float, lapse_s: float) -> None:
        if self.lapse_since_s is not None and time_s - self.lapse_since_s > lapse_s:
            self.since_s = self.lapse_since_s = None
        if is_met:
            self.lapse_since_s = None
            self.since_s = time_s if self.since_s is None else self.since_s
        elif self.since_s is not None and self.lapse_since_s is None:
            self.lapse_since_s = time_s


class Holds:
    """Measure for all faces how long a condition has been met.

    A single misread image does not end a hold: what is shown again within ``lapse_s`` has lasted.

    :param is_met_by: returns whether a face meets the condition at this moment.
    :param lapse_s: longest lapse that does not count.
    """

    def __init__(self, is_met_by: Callable[[Face], bool], lapse_s: float) -> None:
        self._is_met_by = is_met_by
        self._lapse_s = lapse_s
        self._holds: dict[str, _Hold] = {}
        self._time_s = 0.0

    def update(self, faces: Iterable[Face], time_s: float) -> None:
        """Take the faces of the next image.

        :param time_s: of the image; never less than before.
        """
        self._time_s = time_s
        met = {face.face_id: self._is_met_by(face) for face in faces}
        for face_id in met.keys() | self._holds.keys():
            hold = self._holds.setdefault(face_id, _Hold())
            hold.update(met.get(face_id, False), time_s, self._lapse_s)
            if hold.since_s is None:
                del self._holds[face_id]

    def __contains__(self, face_id: str) -> bool:
        """Return whether a face meets the condition, or has a short lapse."""
        return face_id in self._holds

    def clear(self) -> None:
        """Forget all faces."""
        self._holds.clear()

    def seconds(self, face_id: str) -> float | None:
        """Return how long a face has met the condition, or None."""
        hold = self._holds.get(face_id)
        if hold is None or hold.since_s is None or hold.lapse_since_s is not None:
            return None
        return self._time_s - hold.since_s
