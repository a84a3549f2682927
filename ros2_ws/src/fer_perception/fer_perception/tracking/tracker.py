# SPDX-License-Identifier: Apache-2.0
"""Assign stable ids to the faces of successive frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..face import BoundingBox, Face
from .assignment import linear_sum_assignment

# Cost of a forbidden pair: far above any real cost, and finite as the solver requires.
_FORBIDDEN: Final = 1e6
# Penalty that ranks a match by the last box after all matches by the predicted one.
_SECOND_GUESS: Final = 10.0
# Weight of a new velocity in the estimate: boxes jitter by a few pixels per frame.
_VELOCITY_GAIN: Final = 0.4
# Older predictions are unreliable; the box then stays in place.
_MAX_PREDICTION_S: Final = 0.5


@dataclass(frozen=True)
class TrackerConfig:
    """Conditions under which two boxes are the same face.

    :ivar min_iou: boxes that overlap at least as much may be the same face, in [0, 1].
    :ivar max_distance: so may boxes whose centres are at most this many box sides apart.
    :ivar max_size_ratio: upper limit of the ratio of their sizes, at least 1.
    :ivar max_lost_s: time after which an unseen face is dropped, in seconds.
    """

    min_iou: float = 0.2
    max_distance: float = 0.7
    max_size_ratio: float = 2.0
    max_lost_s: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.min_iou <= 1.0:
            raise ValueError(f"min_iou is {self.min_iou}: expected within [0, 1]")
        if not self.max_distance >= 0.0:
            raise ValueError(f"max_distance is {self.max_distance}: expected at least 0")
        if not self.max_size_ratio >= 1.0:
            raise ValueError(f"max_size_ratio is {self.max_size_ratio}: expected at least 1")
        if not self.max_lost_s >= 0.0:
            raise ValueError(f"max_lost_s is {self.max_lost_s}: expected at least 0")


@dataclass(frozen=True)
class _Track:
    """The last state of a tracked face.

    :ivar velocity: of the box's centre, (x, y) in pixels per second.
    """

    face_id: str
    box: BoundingBox
    velocity: tuple[float, float]
    seen_s: float

    def predicted(self, now_s: float) -> BoundingBox:
        """Return the box extrapolated with constant velocity."""
        dt = min(now_s - self.seen_s, _MAX_PREDICTION_S)
        return BoundingBox(
            self.box.x + self.velocity[0] * dt,
            self.box.y + self.velocity[1] * dt,
            self.box.width,
            self.box.height,
        )

    def moved_to(self, box: BoundingBox, now_s: float) -> _Track:
        """Return the track updated with ``box``."""
        dt = now_s - self.seen_s
        if dt <= 0.0:
            return _Track(self.face_id, box, self.velocity, now_s)
        velocity = tuple(
            old + _VELOCITY_GAIN * ((new_center - old_center) / dt - old)
            for old, new_center, old_center in zip(
                self.velocity, box.center, self.box.center, strict=True
            )
        )
        return _Track(self.face_id, box, (velocity[0], velocity[1]), now_s)


class FaceTracker:
    """Match faces between frames by overlap and motion (Hungarian method).

    An id is never reused, not even after :meth:`reset`.
    """

    def __init__(self, config: TrackerConfig = TrackerConfig()) -> None:
        self.config = config
        self._tracks: list[_Track] = []
        self._count = 0
        self._last_s = -math.inf

    @property
    def face_ids(self) -> frozenset[str]:
        """Return the ids of all tracks, including currently lost ones."""
        return frozenset(track.face_id for track in self._tracks)

    def expected(self, stamp_s: float) -> list[BoundingBox]:
        """Return the predicted boxes of the last frame's faces at ``stamp_s``."""
        return [t.predicted(stamp_s) for t in self._tracks if t.seen_s == self._last_s]

    def reset(self) -> None:
        """Drop all tracks."""
        self._tracks = []

    def update(self, faces: Sequence[Face], stamp_s: float) -> list[str]:
        """Return the id of each face of a frame.

        :param stamp_s: capture time in seconds, not before the last one.
        """
        self._tracks = [
            track for track in self._tracks if stamp_s - track.seen_s <= self.config.max_lost_s
        ]
        self._last_s = stamp_s
        matched = self._match(faces, stamp_s)
        seen: list[_Track] = []
        for index, face in enumerate(faces):
            if index in matched:
                seen.append(matched[index].moved_to(face.box, stamp_s))
            else:
                self._count += 1
                seen.append(_Track(f"f{self._count:04d}", face.box, (0.0, 0.0), stamp_s))
        lost = set(map(id, self._tracks)) - set(map(id, matched.values()))
        self._tracks = seen + [track for track in self._tracks if id(track) in lost]
        return [track.face_id for track in seen]

    def _match(self, faces: Sequence[Face], stamp_s: float) -> dict[int, _Track]:
        """Return the matched track of each face, by the face's index.

        Tracks seen in the last frame are matched first, so that a lost track cannot take their
        face.
        """
        newest_s = max((track.seen_s for track in self._tracks), default=stamp_s)
        matched: dict[int, _Track] = {}
        for was_seen_last in (True, False):
            tracks = [t for t in self._tracks if (t.seen_s == newest_s) == was_seen_last]
            rest = [index for index in range(len(faces)) if index not in matched]
            if not tracks or not rest:
                continue
            cost = np.array(
                [[self._cost(track, faces[i].box, stamp_s) for track in tracks] for i in rest]
            )
            for row, column in zip(*linear_sum_assignment(cost), strict=True):
                if cost[row, column] < _FORBIDDEN:
                    matched[rest[row]] = tracks[column]
        return matched

    def _cost(self, track: _Track, box: BoundingBox, stamp_s: float) -> float:
        """Return the cost of a track and a box, possibly :data:`_FORBIDDEN`.

        A bad velocity estimate, from two frames in quick succession, must not lose the face: its
        last box is the fallback.
        """
        cost = self._difference(track.predicted(stamp_s), box)
        if cost < _FORBIDDEN:
            return cost
        return min(_FORBIDDEN, self._difference(track.box, box) + _SECOND_GUESS)

    def _difference(self, predicted: BoundingBox, box: BoundingBox) -> float:
        """Return the cost of two boxes, possibly :data:`_FORBIDDEN`."""
        if min(predicted.area, box.area) <= 0.0:
            return _FORBIDDEN
        side, other_side = math.sqrt(predicted.area), math.sqrt(box.area)
        if max(side, other_side) > self.config.max_size_ratio * min(side, other_side):
            return _FORBIDDEN
        iou = predicted.iou(box)
        distance = math.dist(predicted.center, box.center) / ((side + other_side) / 2.0)
        if iou < self.config.min_iou and distance > self.config.max_distance:
            return _FORBIDDEN
        return (1.0 - iou) + distance
