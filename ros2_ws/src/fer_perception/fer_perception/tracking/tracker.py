# SPDX-License-Identifier: Apache-2.0
"""Assign stable ids to the faces of successive frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..face import BoundingBox, Face
from .assignment import linear_sum_assignment
from .look import MIN_SIMILARITY, MIN_SIMILARITY_OF_GLANCES, Look, look_of, similarity
from .track import Track, Velocity

# Cost of a forbidden pair: far above any real cost, and finite as the solver requires.
_FORBIDDEN: Final = 1e6
# Penalty that ranks a match by the last box after all matches by the predicted one.
_SECOND_GUESS: Final = 10.0
# Penalty of a track that was not seen in the last frame.
_LOST: Final = 1.5
# Weight of a different look beside overlap and distance.
_LOOK_WEIGHT: Final = 3.0
# How much farther a face may have moved for each second without it, in box sides.
_DISTANCE_GROWTH: Final = 0.5
# The same where the look must prove that it is the same face.
_FAR_DISTANCE: Final = 3.0
_FAR_DISTANCE_GROWTH: Final = 2.0
# A face that looks different from the one that was followed at its place has no id for this long:
# something may cover it, or it turns fast.
_PATIENCE_S: Final = 0.3
# The same where nobody was seen before: the face may still be half covered.
_PATIENCE_AFTER_GAP_S: Final = 0.15
# Longer without a face, somebody else may have come to its place.
_GAP_S: Final = 0.12
# The same between two images.
_FRAME_GAP_S: Final = 0.3
# Time between two looks kept of a followed face: one that turns is known from each side.
_LOOK_S: Final = 0.09
# Boxes that overlap more may hide a part of one face.
_MAX_OVERLAP: Final = 0.1


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
    max_lost_s: float = 2.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.min_iou <= 1.0:
            raise ValueError(f"min_iou is {self.min_iou}: expected within [0, 1]")
        if not self.max_distance >= 0.0:
            raise ValueError(f"max_distance is {self.max_distance}: expected at least 0")
        if not self.max_size_ratio >= 1.0:
            raise ValueError(f"max_size_ratio is {self.max_size_ratio}: expected at least 1")
        if not self.max_lost_s >= 0.0:
            raise ValueError(f"max_lost_s is {self.max_lost_s}: expected at least 0")


class _Frame:
    """The faces of a frame and their looks, each computed when first needed."""

    def __init__(
        self,
        faces: Sequence[Face],
        stamp_s: float,
        crop: Callable[[int], NDArray[np.uint8]] | None,
        is_new_scene: bool,
        glance: Callable[[int], Look] | None,
    ) -> None:
        self.boxes = [face.box for face in faces]
        self.stamp_s = stamp_s
        self.has_looks = crop is not None
        self.is_new_scene = is_new_scene
        self._crop = crop
        self.glances = [glance(index) for index in range(len(faces))] if glance else None
        self._looks: dict[int, Look] = {}
        self.overlapped = {
            index
            for a, b in combinations(range(len(faces)), 2)
            if self.boxes[a].iou(self.boxes[b]) > _MAX_OVERLAP
            for index in (a, b)
        }

    def look(self, index: int) -> Look:
        """Return the look of a face; only where there are looks."""
        if index not in self._looks:
            if self._crop is None:
                raise ValueError("this frame has no crops: its faces cannot be compared")
            self._looks[index] = look_of(self._crop(index))
        return self._looks[index]


class FaceTracker:
    """Match faces between frames by overlap, motion and look (Hungarian method).

    A face keeps its id only if its look agrees, unless another face overlaps it. Where it does not
    agree, the face has no id until it agrees again or is taken for another person's. A look is
    kept while its face is in view and for ``max_lost_s`` after. An id is never reused, not even
    after :meth:`reset`.
    """

    def __init__(self, config: TrackerConfig = TrackerConfig()) -> None:
        self.config = config
        self._tracks: list[Track] = []
        self._deferred: list[BoundingBox] = []
        self._count = 0
        self._last_s = -math.inf

    @property
    def face_ids(self) -> frozenset[str]:
        """Return the ids of all tracks, including currently lost ones."""
        return frozenset(track.face_id for track in self._tracks)

    def expected(self, stamp_s: float) -> list[BoundingBox]:
        """Return the predicted boxes of the last frame's faces at ``stamp_s``."""
        seen = [t.predicted(stamp_s) for t in self._tracks if t.seen_s == self._last_s]
        return seen + self._deferred

    def missing(self, stamp_s: float) -> list[BoundingBox]:
        """Return where faces that the last frame lacked may come back, the latest first."""
        lost = [track for track in self._tracks if track.seen_s != self._last_s]
        return [t.predicted(stamp_s) for t in sorted(lost, key=lambda track: -track.seen_s)]

    def common_speed(self) -> float:
        """Return how fast the faces move together, in pixels per second; 0 if not known."""
        seen = [track for track in self._tracks if track.seen_s == self._last_s]
        known = [track.velocity for track in seen if track.velocity is not None]
        return math.hypot(*np.median(known, axis=0)) if known else 0.0

    def reset(self) -> None:
        """Drop all tracks."""
        self._tracks, self._deferred = [], []

    def update(
        self,
        faces: Sequence[Face],
        stamp_s: float,
        crop: Callable[[int], NDArray[np.uint8]] | None = None,
        is_new_scene: bool = False,
        glance: Callable[[int], Look] | None = None,
    ) -> list[str | None]:
        """Return the id of each face of a frame.

        It is None for at most 0.3 s, for a face that looks different from the one before at its
        place: this may be another person, or the same one, half covered.

        :param stamp_s: capture time in seconds, not before the last one.
        :param crop: returns the aligned crop of a face by its index; called only where the look
            decides. Without it faces differ by place alone.
        :param is_new_scene: the image differs from the last one, as after a cut.
        :param glance: returns a face's :func:`.look.glance_at`, which spares most crops; without
            it a crop of every face is compared.
        """
        self._tracks = [
            track for track in self._tracks if stamp_s - track.seen_s <= self.config.max_lost_s
        ]
        frame = _Frame(faces, stamp_s, crop, is_new_scene, glance)
        matched, deferred = self._match(frame)
        face_ids: list[str | None] = []
        seen = []
        for index, face in enumerate(faces):
            if index in matched:
                track = matched[index].moved_to(face.box, stamp_s, index in frame.overlapped)
            elif index in deferred:
                face_ids.append(None)
                continue
            else:
                self._count += 1
                track = Track(f"f{self._count:04d}", face.box, stamp_s, None, face.box, stamp_s)
            face_ids.append(track.face_id)
            seen.append(self._with_look(track, index, frame))
        self._last_s = stamp_s
        self._deferred = [faces[index].box for index in sorted(deferred)]
        self._tracks = seen + [t for t in self._tracks if t.face_id not in face_ids]
        return face_ids

    def _with_look(self, track: Track, index: int, frame: _Frame) -> Track:
        """Return the track with the look of its face, if that is due and not spoilt."""
        if frame.glances is not None:
            track = replace(track, glance=frame.glances[index])
        if not frame.has_looks or index in frame.overlapped:
            return track
        if frame.stamp_s - track.looked_s < _LOOK_S:
            return track
        look = frame.look(index)
        # A covered half would look like that of the next person behind the same cover.
        is_whole = track.similarity(look) >= MIN_SIMILARITY
        return track.with_look(look, frame.stamp_s) if is_whole else track

    def _match(self, frame: _Frame) -> tuple[dict[int, Track], set[int]]:
        """Return the matched track of each face by the face's index, and the faces deferred."""
        common = _common_velocity(self._tracks)
        near = np.array(
            [
                [self._cost(track, box, frame.stamp_s, common) for track in self._tracks]
                for box in frame.boxes
            ]
        ).reshape(len(frame.boxes), len(self._tracks))
        if not frame.has_looks or not near.size:
            return {i: self._tracks[column] for i, column in self._assigned(near).items()}, set()
        differs = self._compare(near, frame)
        matched = self._assigned(near)
        matched |= self._assigned(self._far_costs(frame, matched))
        deferred = self._deferred_faces(differs, matched, frame)
        return {index: self._tracks[column] for index, column in matched.items()}, deferred

    def _compare(self, near: NDArray[np.float64], frame: _Frame) -> NDArray[np.bool_]:
        """Add the difference of the looks to the costs ``near`` and forbid pairs that differ.

        :returns: whether each face is at the place of each track and looks different.
        """
        differs = np.zeros(near.shape, np.bool_)
        is_near = near < _FORBIDDEN
        choices = is_near.sum(axis=0)[None, :] + is_near.sum(axis=1)[:, None]
        for row, column in zip(*np.nonzero(is_near), strict=True):
            index, track = int(row), self._tracks[column]
            if choices[row, column] <= 2 and self._is_unchanged(track, index, frame):
                continue
            look = frame.look(index)
            alike = track.similarity(look)
            near[row, column] += _LOOK_WEIGHT * (1.0 - alike)
            if alike < MIN_SIMILARITY and not track.shares_half_with(look):
                differs[row, column] = True
                if index not in frame.overlapped:
                    near[row, column] = _FORBIDDEN
        return differs

    def _is_unchanged(self, track: Track, index: int, frame: _Frame) -> bool:
        """Return whether a glance shows the face of the last frame, compared shortly before."""
        return (
            frame.glances is not None
            and track.glance is not None
            and track.seen_s == self._last_s
            and frame.stamp_s - track.looked_s < _LOOK_S
            and similarity(track.glance, frame.glances[index]) >= MIN_SIMILARITY_OF_GLANCES
        )

    def _deferred_faces(
        self, differs: NDArray[np.bool_], matched: dict[int, int], frame: _Frame
    ) -> set[int]:
        """Return the faces without a track that may be the one before at their place.

        :param differs: whether each face is at the place of each track and looks different.
        """
        now_s, deferred = frame.stamp_s, set()
        free = [index for index in range(len(frame.boxes)) if index not in matched]
        owned = set(matched.values())
        for column, track in enumerate(self._tracks):
            different = [index for index in free if differs[index, column]]
            if column in owned or not different:
                self._tracks[column] = track.differing(None)
                continue
            until_s = track.differs_until_s
            if until_s is None:
                away = _PATIENCE_AFTER_GAP_S if self._was_away(track, frame) else _PATIENCE_S
                until_s = now_s if frame.is_new_scene else now_s + away
                self._tracks[column] = track.differing(until_s)
            if now_s < until_s:
                deferred.update(different)
        return deferred

    def _was_away(self, track: Track, frame: _Frame) -> bool:
        """Return whether somebody else may have come to the face's place meanwhile."""
        gap_s = frame.stamp_s - track.seen_s
        return gap_s > (_FRAME_GAP_S if track.seen_s == self._last_s else _GAP_S)

    @staticmethod
    def _assigned(cost: NDArray[np.float64]) -> dict[int, int]:
        """Return the column of each row that has one, at the least total cost."""
        if not cost.size:
            return {}
        return {
            int(row): int(column)
            for row, column in zip(*linear_sum_assignment(cost), strict=True)
            if cost[row, column] < _FORBIDDEN
        }

    def _far_costs(self, frame: _Frame, matched: dict[int, int]) -> NDArray[np.float64]:
        """Return the costs of faces and tracks that only the look can match."""
        cost = np.full((len(frame.boxes), len(self._tracks)), _FORBIDDEN)
        free = set(range(len(self._tracks))) - set(matched.values())
        for index in set(range(len(frame.boxes))) - set(matched):
            for column in free:
                track = self._tracks[column]
                lost_s = frame.stamp_s - track.seen_s
                reach = _FAR_DISTANCE + _FAR_DISTANCE_GROWTH * lost_s
                box = frame.boxes[index]
                if not track.looks or not self._is_like_sized(track.box, box):
                    continue
                if frame.is_new_scene or _distance(track.box, box) <= reach:
                    alike = track.similarity(frame.look(index))
                    if alike >= MIN_SIMILARITY:
                        cost[index, column] = 1.0 - alike
        return cost

    def _cost(
        self, track: Track, box: BoundingBox, stamp_s: float, common: Velocity | None
    ) -> float:
        """Return the cost of a track and a box, possibly :data:`_FORBIDDEN`.

        A bad velocity estimate must not lose the face: its last box is the fallback.
        """
        lost_s = stamp_s - track.seen_s
        penalty = 0.0 if track.seen_s == self._last_s else _LOST
        cost = self._difference(track.predicted(stamp_s, common), box, lost_s)
        if cost < _FORBIDDEN:
            return cost + penalty
        return min(_FORBIDDEN, self._difference(track.box, box, lost_s) + _SECOND_GUESS + penalty)

    def _difference(self, predicted: BoundingBox, box: BoundingBox, lost_s: float) -> float:
        """Return the cost of two boxes, possibly :data:`_FORBIDDEN`."""
        if not self._is_like_sized(predicted, box):
            return _FORBIDDEN
        iou, distance = predicted.iou(box), _distance(predicted, box)
        if iou < self.config.min_iou and distance > (
            self.config.max_distance + _DISTANCE_GROWTH * lost_s
        ):
            return _FORBIDDEN
        return (1.0 - iou) + distance

    def _is_like_sized(self, box: BoundingBox, other: BoundingBox) -> bool:
        small, large = sorted((box.area, other.area))
        return small > 0.0 and large <= self.config.max_size_ratio**2 * small


def _distance(box: BoundingBox, other: BoundingBox) -> float:
    """Return the distance of the centres in box sides."""
    side = (math.sqrt(box.area) + math.sqrt(other.area)) / 2.0
    return math.dist(box.center, other.center) / max(side, 1e-9)


def _common_velocity(tracks: Sequence[Track]) -> Velocity | None:
    """Return the median velocity, as of a camera that turns; None unless two are known."""
    known = [track.velocity for track in tracks if track.velocity is not None]
    if len(known) < 2:
        return None
    x, y = np.median(known, axis=0).tolist()
    return x, y
