# SPDX-License-Identifier: Apache-2.0
"""Follows known faces from frame to frame for a small part of the cost of detection.

Between two full detections each face is looked for only where it is expected, by the detector's
last network alone. That network also says how sure it is that there is a face, so that a face that
turned away, moved too fast or left is noticed at once and looked for in the whole image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..detection import FaceDetector
from ..face import BoundingBox, Face, RgbImage

# A refined box that overlaps less with the expected one has slipped onto something else.
_MIN_IOU: Final = 0.4
# Two refined boxes that overlap more have slipped onto the same face.
_MAX_IOU_OF_TWO: Final = 0.5
# Below this a followed face is searched for again, however low the configured confidence is.
_MIN_CONFIDENCE: Final = 0.9
# Points of the image that are compared to notice another scene: rows, columns.
_SCENE_GRID: Final = (18, 24)
# Mean change of their grey levels that makes another scene. The clips of a face that talks and
# moves stay below 12; a cut, a light that goes on or a camera that swings round is above.
_SCENE_CHANGE: Final = 25.0


@runtime_checkable
class FaceRefiner(Protocol):
    """A detector that can look for faces where they are expected."""

    def refine(self, image: RgbImage, boxes: Sequence[BoundingBox]) -> list[Face]:
        """Return the face in each of ``boxes``; its confidence says whether there is one."""
        ...


@dataclass(frozen=True)
class DetectionSchedule:
    """How often the whole image is searched.

    :ivar detection_interval: every so many frames, at least 1, which is all of them. A face that
        appears beside a known one is found within as many frames.
    """

    detection_interval: int = 10

    def __post_init__(self) -> None:
        if self.detection_interval < 1:
            raise ValueError(
                f"detection_interval is {self.detection_interval}: expected at least 1"
            )


class DetectionScheduler:
    """Decides for each frame of a stream whether to search it all or to follow known faces.

    It searches the whole frame when the interval is over, when no face is known, when the scene
    or the image's size has changed, and when a known face is not clearly where it was expected.
    """

    def __init__(self, config: DetectionSchedule = DetectionSchedule()) -> None:
        self.config = config
        self._followed = 0
        self._scene: NDArray[np.int16] | None = None

    def reset(self) -> None:
        """Search all of the next frame."""
        self._scene = None

    def find(
        self,
        detector: FaceDetector,
        image: RgbImage,
        expected: Sequence[BoundingBox],
        min_confidence: float = 0.0,
        effort: float = 1.0,
    ) -> list[Face]:
        """Return the faces of the next frame.

        :param expected: where the known faces should be.
        :param min_confidence: a followed face of which the detector is less sure is looked for in
            the whole image; never less than 0.9.
        :param effort: in (0, 1]; the interval is as much longer as this is smaller.
        """
        interval = self.config.detection_interval
        if interval > 1 and isinstance(detector, FaceRefiner):
            changed = self._scene_has_changed(image)
            if expected and not changed and self._followed + 1 < interval / effort:
                faces = detector.refine(image, expected)
                if _are_certain(faces, expected, max(min_confidence, _MIN_CONFIDENCE)):
                    self._followed += 1
                    return faces
        self._followed = 0
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
    """Return whether each face is clearly one, where it was expected, and a face of its own."""
    return (
        all(face.confidence >= min_confidence for face in faces)
        and all(face.box.iou(box) >= _MIN_IOU for face, box in zip(faces, expected, strict=True))
        and all(a.box.iou(b.box) <= _MAX_IOU_OF_TWO for a, b in combinations(faces, 2))
    )
