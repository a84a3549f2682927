# SPDX-License-Identifier: Apache-2.0
"""Run the node's detection and tracking over clips with known truth."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from fer_perception.detection import FaceDetector
from fer_perception.emotions import EMOTIONS
from fer_perception.face import BoundingBox, Face, RgbImage
from fer_perception.pipeline import FramePipeline

from ..tested_model import pipeline_of_the_node
from . import peer_trackers
from .clips import CLIPS, Clip, Renderer, TrueFrame
from .counting import TrackingCount
from .people import Person

EVERY_FRAME: Final = "every frame"
CONFIGURATIONS: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    EVERY_FRAME: {"detection_interval_s": 0.0},
}


@dataclass(frozen=True)
class TrackingRow:
    """Result of one clip.

    :ivar tracker: the node's configuration, or a peer.
    :ivar frame_ms: processor time of detection and tracking, without recognition; the mean.
    """

    clip: Clip
    tracker: str
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


class _Measured:
    """A tracker under test: its counts and times."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = TrackingCount()
        self.elapsed_ms = 0.0

    def add(
        self, frame: TrueFrame, found: Sequence[tuple[str, BoundingBox]], elapsed_ms: float
    ) -> None:
        self.count.add(frame.faces, found, frame.stamp_s)
        self.elapsed_ms += elapsed_ms


class _Recorder:
    """A detector that keeps what it found, and the time that it took."""

    def __init__(self, detector: FaceDetector, min_confidence: float) -> None:
        self._detector = detector
        self._min_confidence = min_confidence
        self.faces: list[Face] = []
        self.elapsed_ms = 0.0

    def detect(self, image: RgbImage) -> list[Face]:
        start = time.process_time()
        found = self._detector.detect(image)
        self.elapsed_ms = 1e3 * (time.process_time() - start)
        self.faces = [face for face in found if face.confidence >= self._min_confidence]
        return found


def run(
    clip: Clip, frames: Iterable[TrueFrame], is_simulated: bool = False, peers: Sequence[str] = ()
) -> list[TrackingRow]:
    """Measure one clip with every configuration and peer.

    :param is_simulated: take the true boxes with noise in place of the detector's.
    :param peers: of :data:`.peer_trackers.TITLES`; they get the faces found in every frame.
    """
    simulated = SimulatedDetector()
    pipelines = {
        name: tracking_pipeline(changes, simulated if is_simulated else None)
        for name, changes in CONFIGURATIONS.items()
    }
    searching = pipelines[EVERY_FRAME]
    recorder = _Recorder(searching.detector, searching.config.min_detection_confidence)
    searching.detector = recorder
    rate_hz = (len(clip.stamps) - 1) / (clip.stamps[-1] - clip.stamps[0])
    max_lost_s = searching.tracker.config.max_lost_s
    measured = {name: _Measured(name) for name in pipelines}
    with ExitStack() as stack:
        running = [
            stack.enter_context(peer_trackers.running(name, rate_hz, max_lost_s)) for name in peers
        ]
        measured |= {peer.name: _Measured(peer_trackers.TITLES[peer.name]) for peer in running}
        for frame in frames:
            simulated.frame = frame
            for name, pipeline in pipelines.items():
                start = time.process_time()
                seen = pipeline.track(frame.image, frame.stamp_s)
                elapsed_ms = 1e3 * (time.process_time() - start)
                measured[name].add(frame, [(face.face_id, face.box) for face in seen], elapsed_ms)
            for peer in running:
                found, elapsed_ms = peer.update(recorder.faces)
                measured[peer.name].add(frame, found, recorder.elapsed_ms + elapsed_ms)
    frame_count = len(clip.stamps)
    return [
        TrackingRow(clip, m.name, m.count, m.elapsed_ms / frame_count) for m in measured.values()
    ]


def measure(
    people: Sequence[Person], is_simulated: bool = False, peers: Sequence[str] = ()
) -> list[TrackingRow]:
    """Measure every clip; see :func:`run`."""
    renderer = Renderer(people)
    return [
        row
        for number, clip in enumerate(CLIPS)
        for row in run(clip, renderer.frames(clip, 5 * number), is_simulated, peers)
    ]
