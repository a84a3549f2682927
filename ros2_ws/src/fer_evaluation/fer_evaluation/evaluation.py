# SPDX-License-Identifier: Apache-2.0
"""Run frames through the node's pipeline and score its predictions."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fer_perception.face_emotion import FaceEmotion
from fer_perception.pipeline import FramePipeline

from .bags.bag_images import BagImage
from .report.lamp_strip import LampStrip
from .report.thumbnails import Thumbnails
from .scoring.emotions_csv import EmotionsCsv
from .scoring.latency_histogram import LatencyHistogram
from .scoring.predicted_face import predicted_frame
from .scoring.scorer import Scoring


@dataclass(frozen=True, eq=False)
class EvaluatedFrame:
    """The pipeline's predictions on one frame.

    :ivar image_size: (width, height) in pixels.
    :ivar latency_s: time that the pipeline took.
    """

    image: BagImage
    image_size: tuple[int, int]
    emotions: Sequence[FaceEmotion]
    latency_s: float


class NoImageError(ValueError):
    """No image of the input is readable; the message gives the reason."""


class Evaluation:
    """Evaluate all frames in order, without drops, by their own time.

    :param min_confidence: faces below it are labelled "unknown".
    :param lamp: None for no lamp.
    :param thumbnails: None for no pictures of faces.
    :param is_timed: whether the frames' times advance; else each frame is evaluated by itself, and
        the table numbers them from 0 in place of their times.
    :ivar unreadable: images that could not be read, by reason.
    :ivar damaged: images that were decoded in part, by reason.
    """

    def __init__(
        self,
        pipeline: FramePipeline,
        scoring: Scoring,
        table: EmotionsCsv,
        min_confidence: float,
        lamp: LampStrip | None = None,
        thumbnails: Thumbnails | None = None,
        is_timed: bool = True,
    ) -> None:
        self.scoring = scoring
        self.latencies = LatencyHistogram()
        self.unreadable: Counter[str] = Counter()
        self.damaged: Counter[str] = Counter()
        self._pipeline = pipeline
        self._table = table
        self._min_confidence = min_confidence
        self._lamp = lamp
        self._thumbnails = thumbnails
        self._is_timed = is_timed
        self._count = 0

    @property
    def model_id(self) -> str:
        """Return the identity of the pipeline's model."""
        return self._pipeline.recognizer.model_id

    def add(self, image: BagImage) -> EvaluatedFrame | None:
        """Evaluate a frame.

        :returns: the predictions; None where the image cannot be read.
        """
        number, self._count = self._count, self._count + 1
        if image.pixels is None:
            self.scoring.add_unreadable()
            self.unreadable[image.error] += 1
            return None
        if image.error:
            self.damaged[image.error] += 1
        start_s = time.perf_counter()
        emotions = (
            self._pipeline.track(image.pixels, float(image.time_ns) * 1e-9)
            if self._is_timed
            else self._pipeline.recognize(image.pixels)
        )
        latency_s = time.perf_counter() - start_s
        self.latencies.add(latency_s)
        size = (image.pixels.shape[1], image.pixels.shape[0])
        time_ns = image.time_ns if self._is_timed else number
        frame = predicted_frame(time_ns, size, emotions, self._min_confidence)
        matches = self.scoring.add(frame) if self._is_timed else self.scoring.add_untimed(frame)
        self._table.add(frame, matches)
        if self._lamp is not None:
            for stamp_ns, rgb in self._lamp.add(frame):
                self.scoring.timeline.add_lamp(stamp_ns, rgb)
        if self._thumbnails is not None:
            self._thumbnails.add(frame, image.pixels)
        return EvaluatedFrame(image, size, emotions, latency_s)
