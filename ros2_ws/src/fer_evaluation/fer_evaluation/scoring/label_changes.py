# SPDX-License-Identifier: Apache-2.0
"""Label stability: flips per minute and delay after ground-truth changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .matching import FaceMatch
from .predicted_face import PredictedFace

# A face that was absent for longer counts as a new one: its label did not flip.
_MAX_GAP_NS: Final = 10**9


class LabelFlips:
    """Count changes of each predicted face's label.

    :ivar flips: changes, including those of the ground truth.
    """

    def __init__(self) -> None:
        self.flips = 0
        self._face_ns = 0
        self._last: dict[str, tuple[int, str]] = {}

    def reset(self) -> None:
        """Restart after a step back in time."""
        self._last = {}

    def add(self, stamp_ns: int, faces: Sequence[PredictedFace]) -> None:
        """Count a frame."""
        for face in faces:
            before_ns, label = self._last.get(face.face_id, (stamp_ns, face.label))
            gap_ns = stamp_ns - before_ns
            if 0 < gap_ns <= _MAX_GAP_NS:
                self._face_ns += gap_ns
                self.flips += label != face.label
            self._last[face.face_id] = (stamp_ns, face.label)
        gone = [f for f, (seen_ns, _) in self._last.items() if stamp_ns - seen_ns > _MAX_GAP_NS]
        for face_id in gone:
            del self._last[face_id]

    @property
    def face_s(self) -> float:
        """Time for which faces were visible, summed over faces [s]."""
        return self._face_ns * 1e-9

    def per_minute(self) -> float | None:
        """Return the changes per minute of visible face; None without any."""
        return 60.0 * self.flips / self.face_s if self._face_ns else None


@dataclass(frozen=True)
class _Waiting:
    """A change of the ground truth that is not predicted yet."""

    label: str
    since_ns: int


class SwitchTimes:
    """Measure the delay from each ground-truth change to its prediction.

    :ivar delays_s: of the changes that were predicted [s].
    """

    def __init__(self) -> None:
        self.delays_s: list[float] = []
        self._missed = 0
        self._label: dict[str, str] = {}
        self._waiting: dict[str, _Waiting] = {}

    def reset(self) -> None:
        """Restart after a step back in time."""
        self._missed += len(self._waiting)
        self._label, self._waiting = {}, {}

    def add(self, stamp_ns: int, matches: Sequence[FaceMatch]) -> None:
        """Count a frame."""
        for match in matches:
            truth = match.ground_truth
            before = self._label.get(truth.face_id)
            self._label[truth.face_id] = truth.label
            if before not in (None, truth.label):
                self._missed += truth.face_id in self._waiting
                # By the label's stamp if it has one, else by the first such frame.
                since_ns = truth.since_ns if truth.box is None else stamp_ns
                self._waiting[truth.face_id] = _Waiting(truth.label, since_ns)
            waiting = self._waiting.get(truth.face_id)
            if waiting is not None and match.correct:
                self.delays_s.append((stamp_ns - waiting.since_ns) * 1e-9)
                del self._waiting[truth.face_id]

    @property
    def missed(self) -> int:
        """Number of changes that were not predicted in time."""
        return self._missed + len(self._waiting)
