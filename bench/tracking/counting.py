# SPDX-License-Identifier: Apache-2.0
"""Count how well ids follow people whose places are known."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from fer_perception.face import BoundingBox
from fer_perception.tracking.tracker import TrackerConfig

from .clips import Goal, TrueFace

_SAME_FACE_IOU = 0.4
# Share of a face in view: above the one it must be found, below the other it cannot be.
_VISIBLE = 0.8
_HIDDEN = 0.3
# Of stamps, which are fractions of the rate.
_TOLERANCE_S = 1e-6


@dataclass
class TrackingCount:
    """Counts over the frames of one clip.

    :ivar truths: faces to be found, over all frames.
    :ivar missed: of these, not found.
    :ivar extra: found where no face is.
    :ivar switches: times that a person's id changed.
    :ivar thefts: people beyond the first that each id was on.
    :ivar stays: times that a person came into view, not counting absences of at most
        ``max_lost_s``: the ids that perfect tracking gives.
    :ivar waits_s: from each time that a face came into view to when it was found, or left.
    """

    truths: int = 0
    missed: int = 0
    extra: int = 0
    switches: int = 0
    max_lost_s: float = TrackerConfig.max_lost_s
    stays: int = 0
    waits_s: list[float] = field(default_factory=list)
    _id_of: dict[int, str] = field(default_factory=dict)
    _frames_of: Counter[tuple[str, int]] = field(default_factory=Counter)
    _found: int = 0
    _seen_s: dict[int, float] = field(default_factory=dict)
    _in_view_since_s: dict[int, float | None] = field(default_factory=dict)

    def add(
        self, truths: Sequence[TrueFace], found: Sequence[tuple[str, BoundingBox]], stamp_s: float
    ) -> None:
        """Count one frame."""
        pairs = _pairs(truths, found)
        self._found += len(found)
        self.extra += len(found) - len(pairs)
        for index, truth in enumerate(truths):
            person, is_found = truth.person, index in pairs
            if truth.visible >= _HIDDEN:
                self.stays += stamp_s - self._seen_s.get(person, -math.inf) > self.max_lost_s
                self._seen_s[person] = stamp_s
            if truth.visible >= _VISIBLE:
                self.truths += 1
                self.missed += not is_found
                self._in_view_since_s.setdefault(person, stamp_s)
                since_s = self._in_view_since_s[person]
                if is_found and since_s is not None:
                    self.waits_s.append(stamp_s - since_s)
                    self._in_view_since_s[person] = None
            elif truth.visible < _HIDDEN:
                self._leave(person, stamp_s)
            if is_found:
                face_id = found[pairs[index]][0]
                self.switches += self._id_of.get(person, face_id) != face_id
                self._id_of[person] = face_id
                self._frames_of[face_id, person] += 1
        for person in set(self._in_view_since_s) - {truth.person for truth in truths}:
            self._leave(person, stamp_s)

    def _leave(self, person: int, stamp_s: float) -> None:
        """Count the wait of a face that left before it was found."""
        since_s = self._in_view_since_s.pop(person, None)
        if since_s is not None:
            self.waits_s.append(stamp_s - since_s)

    @property
    def ids(self) -> int:
        """Return the number of ids that were on a person."""
        return len({face_id for face_id, _ in self._frames_of})

    @property
    def thefts(self) -> int:
        """Return how often an id was on one more person."""
        return len(self._frames_of) - self.ids

    def meets(self, goal: Goal) -> bool:
        """Return whether the clip's goal is met."""
        missed = self.missed / max(1, self.truths)
        return (
            self.thefts == 0
            and self.ids <= _or_any(goal.ids)
            and missed <= _or_any(goal.missed)
            and max(self.waits_s, default=0.0) <= _or_any(goal.wait_s) + _TOLERANCE_S
        )

    @property
    def mota(self) -> float:
        """Return the multiple-object tracking accuracy, at most 1."""
        return 1.0 - (self.missed + self.extra + self.switches) / max(1, self.truths)

    @property
    def idf1(self) -> float:
        """Return the F1 of ids, each paired with one person, in [0, 1]."""
        ids = sorted({face_id for face_id, _ in self._frames_of})
        people = sorted({person for _, person in self._frames_of})
        frames = np.array([[self._frames_of[i, person] for person in people] for i in ids])
        if not frames.size:
            return 0.0
        right = frames[linear_sum_assignment(-frames)].sum()
        in_view = sum(self._frames_of.values()) + self.missed
        return float(2.0 * right / (self._found + in_view))


def _or_any(limit: float | None) -> float:
    return math.inf if limit is None else limit


def _pairs(truths: Sequence[TrueFace], found: Sequence[tuple[str, BoundingBox]]) -> dict[int, int]:
    """Return the index of the box found for each truth that was found."""
    if not truths or not found:
        return {}
    ious = np.array([[truth.face.box.iou(box) for _, box in found] for truth in truths])
    # Of two faces at one place, the one in front is seen.
    seen = ious + 1e-3 * np.array([[truth.visible] for truth in truths])
    seen[ious < _SAME_FACE_IOU] = 0.0
    rows, columns = linear_sum_assignment(-seen)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if ious[row, column] >= _SAME_FACE_IOU and truths[int(row)].visible >= _HIDDEN
    }
