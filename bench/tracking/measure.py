# SPDX-License-Identifier: Apache-2.0
"""Run the node's detection and tracking over clips with known truth."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_perception.detection import FaceDetector
from fer_perception.emotions import EMOTIONS
from fer_perception.face import BoundingBox, Face, RgbImage
from fer_perception.pipeline import FramePipeline

from ..tested_model import pipeline_of_the_node
from .clips import CLIPS, Clip, Renderer, TrueFrame
from .counting import TrackingCount
from .people import Person

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "every frame": {"detection_interval_s": 0.0},
}


@dataclass(frozen=True)
class TrackingRow:
    """Result of one clip.

    :ivar frame_ms: of detection and tracking, without recognition; the mean.
    """

    clip: Clip
    configuration: str
    count: TrackingCount
    frame_ms: float


class SimulatedDetector:
    """Return the true boxes of the frame in view, with noise.

    :ivar frame: the frame in view.
    """

    def __init__(self) -> None:
        self.frame: TrueFrame | None = None
        self._rng = np.random.default_rng(0)

    def detect(self, image: RgbImage) -> list[Face]:
        """Return the faces that are mostly visible."""
        assert self.frame is not None
        return [self._noisy(t.face) for t in self.frame.faces if t.visible >= 0.6]

    def refine(self, image: RgbImage, boxes: Sequence[BoundingBox]) -> list[Face]:
        """Return the face at each box; confidence 0 where none is visible."""
        faces = self.detect(image)
        return [
            max(
                (face for face in faces if face.box.iou(box) >= 0.4),
                key=lambda face: face.box.iou(box),
                default=Face(box, 0.0, np.full((5, 2), np.nan, np.float32)),
            )
            for box in boxes
        ]

    def _noisy(self, face: Face) -> Face:
        side = face.box.area**0.5
        x, y = self._rng.normal(0.0, 0.015 * side, 2)
        landmarks = face.landmarks + self._rng.normal(0.0, 0.015 * side, (5, 2))
        return Face(face.box.moved(float(x), float(y)), 1.0, landmarks.astype(np.float32))


class _NoRecognizer:
    """Spend no time on expressions."""

    def recognize(self, crops: Any, prior_adjustment: float = 0.0) -> Any:
        return np.full((len(crops), len(EMOTIONS)), 1.0 / len(EMOTIONS), np.float32)


def tracking_pipeline(
    changes: Mapping[str, Any], detector: FaceDetector | None = None
) -> FramePipeline:
    """Return the node's pipeline, which recognises nothing.

    :param detector: in place of the node's.
    """
    pipeline = pipeline_of_the_node(changes)
    pipeline.recognizer = _NoRecognizer()  # type: ignore[assignment]
    if detector is not None:
        pipeline.detector = detector
    return pipeline


def run(pipeline: FramePipeline, frames: Iterable[TrueFrame]) -> tuple[TrackingCount, float]:
    """Return the counts and the mean time of a frame in ms."""
    count, seconds, number = TrackingCount(), 0.0, 0
    for frame in frames:
        if isinstance(pipeline.detector, SimulatedDetector):
            pipeline.detector.frame = frame
        start = time.perf_counter()
        seen = pipeline.track(frame.image, frame.stamp_s)
        seconds += time.perf_counter() - start
        number += 1
        count.add(frame.faces, [(face.face_id, face.box) for face in seen], frame.stamp_s)
    return count, 1e3 * seconds / number


def measure(people: Sequence[Person], is_simulated: bool = False) -> list[TrackingRow]:
    """Measure every clip with every configuration.

    :param is_simulated: take the true boxes with noise in place of the detector's.
    """
    renderer = Renderer(people)
    rows = []
    for number, clip in enumerate(CLIPS):
        for name, changes in CONFIGURATIONS.items():
            detector = SimulatedDetector() if is_simulated else None
            pipeline = tracking_pipeline(changes, detector)
            count, frame_ms = run(pipeline, renderer.frames(clip, 5 * number))
            rows.append(TrackingRow(clip, name, count, frame_ms))
    return rows
