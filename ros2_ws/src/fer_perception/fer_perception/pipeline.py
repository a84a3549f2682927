# SPDX-License-Identifier: Apache-2.0
"""Recognise the apparent expression of every face of an image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fer_common.resettable_clock import StreamClock

from .detection import FaceDetector
from .face import BoundingBox, Face, RgbImage
from .face_emotion import FaceEmotion, FaceQuality
from .images.region import RegionOfInterest
from .images.rotation import Rotation
from .recognition.alignment import align_faces
from .recognition.quality import assess, trusted
from .recognition.recognizer import EmotionRecognizer
from .tracking.detection_scheduler import DetectionSchedule, DetectionScheduler
from .tracking.look import glance_at
from .tracking.recognition_schedule import RecognitionSchedule
from .tracking.smoothing import ScoreSmoother
from .tracking.tracker import FaceTracker


@dataclass(frozen=True)
class PipelineConfig:
    """Detection limits and rates of a pipeline.

    :ivar min_detection_confidence: faces of lower detector confidence are dropped, in [0, 1].
    :ivar region: where faces are detected, in the original image.
    :ivar rotation: brings the image upright; faces have coordinates of the original image.
    :ivar detection_schedule: how often the whole region of a stream is searched; by default in
        every frame.
    :ivar recognition_rate_hz: maximum recognitions per second of each face of a stream; 0 for
        every frame.
    :ivar prior_adjustment: see :meth:`~.recognition.recognizer.EmotionRecognizer.recognize`.
    """

    min_detection_confidence: float = 0.9
    region: RegionOfInterest = RegionOfInterest()
    rotation: Rotation = Rotation()
    detection_schedule: DetectionSchedule = DetectionSchedule(0.0)
    recognition_rate_hz: float = 0.0
    prior_adjustment: float = 0.0


class FramePipeline:
    """Detect, align and recognise the faces of images, and track them.

    :ivar effort: share of the full effort to spend on a stream, in (0, 1]: it scales the rates of
        full searches and recognitions, where the configuration limits these at all.
    """

    def __init__(
        self,
        detector: FaceDetector,
        recognizer: EmotionRecognizer,
        tracker: FaceTracker,
        smoother: ScoreSmoother,
        config: PipelineConfig = PipelineConfig(),
    ) -> None:
        self.recognizer = recognizer
        self.tracker = tracker
        self.smoother = smoother
        self.effort = 1.0
        self._scheduler = DetectionScheduler()
        self._schedule = RecognitionSchedule()
        self._qualities: dict[str, FaceQuality] = {}
        self._time = StreamClock()
        self.detector = detector
        self._config = config
        self.config = config

    @property
    def detector(self) -> FaceDetector:
        """Return the detector; it may be changed between two frames."""
        return self._detector

    @detector.setter
    def detector(self, value: FaceDetector) -> None:
        self._detector = value
        self._scheduler.reset()  # its results decide which faces are tracked

    @property
    def config(self) -> PipelineConfig:
        """Return the configuration; it may be changed between two frames."""
        return self._config

    @config.setter
    def config(self, value: PipelineConfig) -> None:
        if value.rotation != self._config.rotation:
            self.tracker.reset()  # tracks are in the upright image
        self._config = value
        self._region = value.rotation.region(value.region)
        self._scheduler.config = value.detection_schedule
        self._scheduler.reset()

    def recognize(self, image: RgbImage) -> list[FaceEmotion]:
        """Return the faces of a single image, largest first, without tracking."""
        upright = self.config.rotation.image(image)
        part, left, top = self._region.part(upright)
        faces = self._chosen(self.detector.detect(part), part, left, top)
        return [
            FaceEmotion("", self._in_original(face, image), scores, quality)
            for face, (scores, quality) in zip(
                faces,
                self._recognized(upright, faces, list(align_faces(upright, faces))),
                strict=True,
            )
        ]

    def track(self, image: RgbImage, stamp_s: float) -> list[FaceEmotion]:
        """Return the tracked faces of the next frame, largest first, scores smoothed.

        A stamp more than a second before the last one means that time was set back, as by a
        replayed bag: all faces are then new. A stamp slightly before the last one counts as the
        last one.

        :param stamp_s: when the frame was taken, in seconds of any clock.
        """
        stamp_s, is_set_back = self._time.advance(stamp_s)
        if is_set_back:
            self.tracker.reset()
            self._scheduler.reset()
        upright = self.config.rotation.image(image)
        part, left, top = self._region.part(upright)
        expected = [box.moved(-left, -top) for box in self.tracker.expected(stamp_s)]
        missing = [box.moved(-left, -top) for box in self.tracker.missing(stamp_s)]
        found = self._scheduler.find(
            self.detector,
            part,
            expected,
            stamp_s,
            missing=[box for box in missing if _is_centered_in(box, part)],
            min_confidence=self.config.min_detection_confidence,
            effort=self.effort,
            shift_px_s=self.tracker.common_speed(),
        )
        faces = self._chosen(found, part, left, top)

        @cache
        def crop(index: int) -> NDArray[np.uint8]:
            aligned: NDArray[np.uint8] = align_faces(upright, [faces[index]])[0]
            return aligned

        ids = self.tracker.update(
            faces,
            stamp_s,
            crop,
            self._scheduler.is_new_scene,
            lambda index: glance_at(upright, faces[index].box),
        )
        identified = [(i, face_id) for i, face_id in enumerate(ids) if face_id is not None]
        face_ids = [face_id for _, face_id in identified]
        known = self.tracker.face_ids | set(face_ids)
        self.smoother.keep_only(known)
        self._qualities = {key: self._qualities[key] for key in self._qualities.keys() & known}
        rate_hz = self.config.recognition_rate_hz * self.effort
        due = self._schedule.due(face_ids, stamp_s, rate_hz)
        places = [identified[i][0] for i in due]
        recognized = self._recognized(
            upright, [faces[i] for i in places], [crop(i) for i in places]
        )
        for i, (scores, quality) in zip(due, recognized, strict=True):
            self.smoother.update(face_ids[i], scores, stamp_s)
            self._qualities[face_ids[i]] = quality
        return [
            FaceEmotion(
                face_id,
                self._in_original(faces[i], image),
                self.smoother.scores(face_id),
                self._qualities[face_id],
                self.smoother.label(face_id),
            )
            for i, face_id in identified
        ]

    def _recognized(
        self, upright: RgbImage, faces: Sequence[Face], crops: Sequence[NDArray[np.uint8]]
    ) -> list[tuple[NDArray[np.float32], FaceQuality]]:
        """Return each face's scores, weighted by its quality, and the quality."""
        scores = self.recognizer.recognize(np.array(crops), self.config.prior_adjustment)
        height, width = upright.shape[:2]
        qualities = [
            assess(face, crop, (width, height)) for face, crop in zip(faces, crops, strict=True)
        ]
        return [(trusted(row, q), q) for row, q in zip(scores, qualities, strict=True)]

    def _in_original(self, face: Face, image: RgbImage) -> Face:
        height, width = image.shape[:2]
        return self.config.rotation.to_original(face, width, height)

    def _chosen(self, found: Iterable[Face], part: RgbImage, left: int, top: int) -> list[Face]:
        """Return the confident faces that touch ``part``, largest first."""
        faces = [
            face.moved(left, top) if left or top else face
            for face in found
            # A detector without confidences (NaN) is trusted.
            if not face.confidence < self.config.min_detection_confidence and _touches(face, part)
        ]
        return sorted(faces, key=lambda face: -face.box.area)


def _is_centered_in(box: BoundingBox, image: RgbImage) -> bool:
    (x, y), (height, width) = box.center, image.shape[:2]
    return 0.0 <= x < width and 0.0 <= y < height


def _touches(face: Face, image: RgbImage) -> bool:
    height, width = image.shape[:2]
    return face.box.clipped(width, height).area > 0.0
