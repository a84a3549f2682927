# SPDX-License-Identifier: Apache-2.0
"""Record when each face id was seen, and how many at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .predicted_face import PredictedFrame


@dataclass
class SeenId:
    """A face id of the recording.

    :ivar first_ns: stamp of the first frame with it; likewise last.
    :ivar frames: number of frames with it.
    :ivar labels: frames by predicted label.
    """

    first_ns: int
    last_ns: int
    frames: int = 0
    labels: Counter[str] = field(default_factory=Counter)


class Presence:
    """Count faces by id, by label and by frame.

    :ivar ids: by face id, in the order of their first frame; empty ids are not kept.
    :ivar labels: predicted faces by label, over all frames.
    :ivar most_at_once: largest number of faces in one frame.
    :ivar frames_with_faces: frames with at least one face.
    """

    def __init__(self) -> None:
        self.ids: dict[str, SeenId] = {}
        self.labels: Counter[str] = Counter()
        self.most_at_once = 0
        self.frames_with_faces = 0

    @property
    def faces(self) -> int:
        """Return the number of predicted faces, summed over frames."""
        return self.labels.total()

    def add(self, frame: PredictedFrame) -> None:
        """Count the faces of a frame."""
        self.frames_with_faces += bool(frame.faces)
        self.most_at_once = max(self.most_at_once, len(frame.faces))
        for face in frame.faces:
            self.labels[face.label] += 1
            if face.face_id:
                seen = self.ids.setdefault(face.face_id, SeenId(frame.stamp_ns, frame.stamp_ns))
                seen.last_ns = frame.stamp_ns
                seen.frames += 1
                seen.labels[face.label] += 1

    def shares(self) -> dict[str, float]:
        """Return label -> share of all predicted faces in [0, 1], the largest first."""
        return {
            label: round(count / self.faces, 5)
            for label, count in sorted(self.labels.items(), key=lambda entry: -entry[1])
        }
