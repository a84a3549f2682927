# SPDX-License-Identifier: Apache-2.0
"""Faces that have been in view long enough to count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ambient_light_driver.selection.observation import FaceObservation
from fer_common.resettable_clock import Stopwatch

GRACE_S = 0.5
"""A face missed for less than this keeps its time in view [s]."""

MAX_KNOWN_FACES = 256
"""Bound on the memory that a stream of ever new face ids can take."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Since when a face has been in view, and since when it has not been seen."""

    in_view: Stopwatch
    unseen: Stopwatch


class FacePresence:
    """Tracks the time for which each face has been in view; its length counts them."""

    def __init__(self) -> None:
        self._faces: tuple[FaceObservation, ...] = ()
        self._known: dict[str, _Known] = {}

    def __len__(self) -> int:
        """Return how many faces are remembered, in the newest image or not."""
        return len(self._known)

    def observe(self, faces: Sequence[FaceObservation], now_s: float) -> None:
        """Replace the faces by those of the newest image."""
        self._faces = tuple(faces)
        for face in self._faces:
            known = self._known.setdefault(
                face.face_id, _Known(Stopwatch(now_s), Stopwatch(now_s))
            )
            known.in_view.seconds(now_s)
            known.unseen.restart(now_s)
        gone = [
            name for name, known in self._known.items() if known.unseen.seconds(now_s) > GRACE_S
        ]
        present = {face.face_id for face in self._faces}
        absent = [name for name in self._known if name not in present and name not in gone]
        too_many = max(0, len(self._known) - len(gone) - MAX_KNOWN_FACES)
        for name in gone + absent[:too_many]:
            del self._known[name]

    def counted(self, dwell_s: float, now_s: float) -> tuple[FaceObservation, ...]:
        """Return the faces of the newest image that have been in view for ``dwell_s``."""
        return tuple(
            face
            for face in self._faces
            if face.face_id in self._known
            and self._known[face.face_id].in_view.seconds(now_s) >= dwell_s
        )
