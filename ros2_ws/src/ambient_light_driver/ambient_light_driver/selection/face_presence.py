# SPDX-License-Identifier: Apache-2.0
"""Presence time of faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ambient_light_driver.selection.observation import FaceObservation
from fer_common.resettable_clock import Stopwatch

GRACE_S = 0.5
"""Tolerated gap in a face's presence [s]."""

MAX_KNOWN_FACES = 256
"""Maximum number of known faces, to bound memory."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Start of a face's presence and of its current gap."""

    in_view: Stopwatch
    unseen: Stopwatch


class FacePresence:
    """Track the presence time of each face."""

    def __init__(self) -> None:
        self._faces: tuple[FaceObservation, ...] = ()
        self._known: dict[str, _Known] = {}

    def __len__(self) -> int:
        """Return the number of known faces."""
        return len(self._known)

    def observe(self, faces: Sequence[FaceObservation], now_s: float) -> None:
        """Update with the faces of the newest image."""
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
        """Return the newest image's faces present for ``dwell_s``."""
        return tuple(
            face
            for face in self._faces
            if face.face_id in self._known
            and self._known[face.face_id].in_view.seconds(now_s) >= dwell_s
        )
