# SPDX-License-Identifier: Apache-2.0
"""The place, motion and recent look of one face."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from ..face import BoundingBox
from .look import Look, share_a_half, similarity

Velocity = tuple[float, float]
"""Of a box's centre, (x, y) in pixels per second."""

# Time between two boxes that measure a velocity: jitter of a pixel counts for little.
_VELOCITY_S: Final = 0.03
# Time constant of the average of the velocity.
_VELOCITY_TIME_CONSTANT_S: Final = 0.06
# A box that changes its width or height by more at once is cut by what covers the face.
_MAX_RESIZING: Final = 1.2
# Older predictions are unreliable; the box then stays in place.
_MAX_PREDICTION_S: Final = 0.5
# Looks of a face in different poses.
_LOOKS: Final = 3
# A look more like a known one replaces it.
_SAME_LOOK: Final = 0.9


@dataclass(frozen=True, eq=False)
class Track:
    """The last state of a tracked face.

    :ivar velocity: None until measured.
    :ivar measured_box: box at the start of the next measurement of the velocity.
    :ivar measured_s: time of that box.
    :ivar looks: the latest last.
    :ivar looked_s: when the last of them was taken.
    :ivar glance: in the last frame.
    :ivar differs_until_s: until when a face at its place that looks different may be this one;
        None if there is none.
    """

    face_id: str
    box: BoundingBox
    seen_s: float
    velocity: Velocity | None = None
    measured_box: BoundingBox | None = None
    measured_s: float = 0.0
    looks: tuple[Look, ...] = ()
    looked_s: float = -math.inf
    glance: Look | None = None
    differs_until_s: float | None = None

    def predicted(self, now_s: float, velocity: Velocity | None = None) -> BoundingBox:
        """Return the box extrapolated with constant velocity.

        :param velocity: in place of one that is not known yet.
        """
        x, y = self.velocity or velocity or (0.0, 0.0)
        dt = min(now_s - self.seen_s, _MAX_PREDICTION_S)
        return self.box.moved(x * dt, y * dt)

    def moved_to(self, box: BoundingBox, now_s: float, is_overlapped: bool) -> Track:
        """Return the track updated with ``box``.

        :param is_overlapped: by another face, which can spoil the box and the look.
        """
        is_cut = _is_resized(self.box, box)
        start, start_s = self.measured_box or self.box, self.measured_s
        velocity = self.velocity
        dt = now_s - start_s
        if is_overlapped or is_cut or self.measured_box is None:
            start, start_s = box, now_s
        elif dt >= _VELOCITY_S:
            new = tuple((b - a) / dt for a, b in zip(start.center, box.center, strict=True))
            gain = -math.expm1(-dt / _VELOCITY_TIME_CONSTANT_S)
            old = velocity or new
            velocity = (old[0] + gain * (new[0] - old[0]), old[1] + gain * (new[1] - old[1]))
            start, start_s = box, now_s
        return replace(
            self,
            box=box,
            seen_s=now_s,
            velocity=velocity,
            measured_box=start,
            measured_s=start_s,
        )

    def with_look(self, look: Look, now_s: float) -> Track:
        """Return the track with another look, which takes the place of a similar or old one."""
        kept = [known for known in self.looks if similarity(known, look) < _SAME_LOOK]
        return replace(
            self,
            looks=(*kept[-(_LOOKS - 1) :], look),
            looked_s=now_s,
        )

    def differing(self, until_s: float | None) -> Track:
        """Return the track with another :attr:`differs_until_s`."""
        return self if until_s == self.differs_until_s else replace(self, differs_until_s=until_s)

    def similarity(self, look: Look) -> float:
        """Return the similarity with the most similar of the known looks, in [-1, 1]."""
        return max((similarity(known, look) for known in self.looks), default=1.0)

    def shares_half_with(self, look: Look) -> bool:
        """Return whether a half of the face may be the same, the rest covered."""
        return any(share_a_half(known, look) for known in self.looks)


def _is_resized(box: BoundingBox, other: BoundingBox) -> bool:
    return any(
        max(a, b) > _MAX_RESIZING * min(a, b)
        for a, b in ((box.width, other.width), (box.height, other.height))
    )
