# SPDX-License-Identifier: Apache-2.0
"""Follow known faces between full detections, at a fraction of the cost.

Between two full detections each face is searched only at its expected place, by the detector's
last network alone. Its confidence reveals a face that turned away, moved too fast or left, which
triggers a full detection at once, and others soon after while the face is missing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..detection import FaceDetector
from ..face import BoundingBox, Face, RgbImage

# A refined box that overlaps less with the expected one has drifted to something else.
_MIN_IOU: Final = 0.4
# Two refined boxes that overlap more have drifted to the same face.
_MAX_IOU_OF_TWO: Final = 0.5
# Below this a followed face triggers a full detection, whatever the configured confidence.
_MIN_CONFIDENCE: Final = 0.9
# Frames may be slightly early.
_TOLERANCE_S: Final = 0.01
# Time to the first full detection after the one that lacked a face; doubled each time.
_FIRST_RETRY_S: Final = 0.1
# A camera that turns shows as much of its image's width again before the next full detection.
_MAX_SHIFT: Final = 0.12
# Missing faces whose places are looked at between full detections.
_MAX_MISSING: Final = 4
# Sample points of the image to detect a scene change: rows, columns.
_SCENE_GRID: Final = (18, 24)
# Mean grey-level change that counts as a scene change. Clips of a face that talks and
# moves stay below 12; a cut, a light that goes on or a camera that swings round is above.
_SCENE_CHANGE: Final = 25.0


@runtime_checkable
class FaceRefiner(Protocol):
    """A detector that can refine expected face boxes."""

    def refine(self, image: RgbImage, boxes: Sequence[BoundingBox]) -> list[Face]:
        """Return the face in each of ``boxes``, with its confidence."""
        ...


@dataclass(frozen=True)
class DetectionSchedule:
    """Interval of full detections.

    :ivar detection_interval_s: in seconds, at least 0 (every frame). A face that appears beside a
        known one is found within it and one frame.
    """

    detection_interval_s: float = 0.33

    def __post_init__(self) -> None:
        if not self.detection_interval_s >= 0.0:
            raise ValueError(
                f"detection_interval_s is {self.detection_interval_s}: expected at least 0"
            )


class DetectionScheduler:
    """Choose full detection or following of known faces per frame.

    A full detection runs when the interval is over, when no face is known, when the scene or the
    image's size has changed, and when a known face is not confirmed at its expected place. While
    that face is missing, its place is looked at in every frame, and full detections run more
    often at first.

    :ivar is_new_scene: whether the scene changed in the last frame and not in the one before, as
        by a cut or a light; a camera that moves changes it in every frame.
    """

    def __init__(self, config: DetectionSchedule = DetectionSchedule()) -> None:
        self.config = config
        self.is_new_scene = self._is_changed = False
        self._searched_s = -math.inf
        self._retry_s = _FIRST_RETRY_S
        self._missing = 0
        self._scene: NDArray[np.int16] | None = None

    def reset(self) -> None:
        """Search the whole next frame."""
        self._scene = None
        self._searched_s = -math.inf

    def find(
        self,
        detector: FaceDetector,
        image: RgbImage,
        expected: Sequence[BoundingBox],
        stamp_s: float,
        *,
        missing: Sequence[BoundingBox] = (),
        min_confidence: float = 0.0,
        effort: float = 1.0,
        shift_px_s: float = 0.0,
    ) -> list[Face]:
        """Return the faces of the next frame.

        :param expected: predicted boxes of the last frame's faces.
        :param stamp_s: capture time in seconds, not before the last one.
        :param missing: predicted boxes of known faces that the last frame lacked.
        :param min_confidence: a followed face of lower confidence triggers a full detection; never
            less than 0.9.
        :param effort: in (0, 1]; the interval is divided by it.
        :param shift_px_s: how fast the image shifts, as while the camera turns: new faces come in
            sooner than the interval.
        """
        was_changed, self._is_changed = self._is_changed, self._scene_has_changed(image)
        self.is_new_scene = self._is_changed and not was_changed
        if len(missing) > self._missing:
            self._retry_s = _FIRST_RETRY_S
        self._missing = len(missing)
        interval_s = self.config.detection_interval_s
        if shift_px_s > 0.0:
            interval_s = min(interval_s, _MAX_SHIFT * image.shape[1] / shift_px_s)
        interval_s /= effort
        wait_s = min(interval_s, self._retry_s / effort) if missing else interval_s
        if (
            expected
            and isinstance(detector, FaceRefiner)
            and not self._is_changed
            and stamp_s - self._searched_s < wait_s - _TOLERANCE_S
        ):
            certain = max(min_confidence, _MIN_CONFIDENCE)
            faces = detector.refine(image, [*expected, *missing[:_MAX_MISSING]])
            followed, candidates = faces[: len(expected)], faces[len(expected) :]
            if _are_certain(followed, expected, certain):
                for face, box in zip(candidates, missing[:_MAX_MISSING], strict=True):
                    if _are_certain([*followed, face], [*expected, box], certain):
                        followed.append(face)
                        expected = [*expected, box]
                return followed
        elif missing:
            self._retry_s *= 2.0
        self._searched_s = stamp_s
        return detector.detect(image)

    def _scene_has_changed(self, image: RgbImage) -> bool:
        height, width = image.shape[:2]
        rows, columns = _SCENE_GRID
        step_y, step_x = max(1, height // rows), max(1, width // columns)
        scene = image[step_y // 2 :: step_y, step_x // 2 :: step_x, 1].astype(np.int16)
        before, self._scene = self._scene, scene
        if before is None or before.shape != scene.shape:
            return True
        return float(np.abs(scene - before).mean()) > _SCENE_CHANGE


def _are_certain(
    faces: Sequence[Face], expected: Sequence[BoundingBox], min_confidence: float
) -> bool:
    """Return whether the faces are confident, in place and distinct."""
    return (
        all(face.confidence >= min_confidence for face in faces)
        and all(face.box.iou(box) >= _MIN_IOU for face, box in zip(faces, expected, strict=True))
        and all(a.box.iou(b.box) <= _MAX_IOU_OF_TWO for a, b in combinations(faces, 2))
    )
