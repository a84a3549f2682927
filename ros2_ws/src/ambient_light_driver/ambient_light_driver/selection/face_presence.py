# SPDX-License-Identifier: Apache-2.0
"""Faces that have been in view long enough to count."""

from __future__ import annotations

from collections.abc import Sequence

from ambient_light_driver.selection.observation import FaceObservation
from fer_common.resettable_clock import Stopwatch

GRACE_S = 0.5
"""A face missed for less than this keeps its time in view [s]."""

MAX_KNOWN_FACES = 256
"""Bound on the memory that a stream of ever new face ids can take."""


class FacePresence:
    """Tracks the time for which each face has been in view."""

    def __init__(self) -> None:
        self._faces: tuple[FaceObservation, ...] = ()
        self._in_view: dict[str, Stopwatch] = {}
        self._last_seen: dict[str, Stopwatch] = {}

    def observe(self, faces: Sequence[FaceObservation], now_s: float) -> None:
        """Replace the faces by those of the newest image."""
        self._faces = tuple(faces)
        for face in self._faces:
            known = self._in_view.setdefault(face.face_id, Stopwatch(now_s))
            known.seconds(now_s)
            self._last_seen[face.face_id] = Stopwatch(now_s)
        gone = [name for name, seen in self._last_seen.items() if seen.seconds(now_s) > GRACE_S]
        present = {face.face_id for face in self._faces}
        absent = [name for name in self._in_view if name not in present and name not in gone]
        too_many = max(0, len(self._in_view) - len(gone) - MAX_KNOWN_FACES)
        for name in gone + absent[:too_many]:
            del self._in_view[name], self._last_seen[name]

    def counted(self, dwell_s: float, now_s: float) -> tuple[FaceObservation, ...]:
        """Return the faces of the newest image that have been in view for ``dwell_s``."""
        return tuple(
            face
            for face in self._faces
            if face.face_id in self._in_view
            and self._in_view[face.face_id].seconds(now_s) >= dwell_s
        )
