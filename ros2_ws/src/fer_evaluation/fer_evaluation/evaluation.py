# SPDX-License-Identifier: Apache-2.0
"""Runs frames through the same pipeline as the node, and keeps account of what it says."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from fer_perception.face_emotion import FaceEmotion
from fer_perception.pipeline import EmotionPipeline

from .bags.bag_images import BagImage
from .report.lamp_strip import LampStrip
from .report.thumbnails import Thumbnails
from .scoring.emotions_csv import EmotionsCsv
from .scoring.latency_histogram import LatencyHistogram
from .scoring.predicted_face import predicted_frame
from .scoring.scorer import Scoring


@dataclass(frozen=True, eq=False)
class EvaluatedFrame:
    """What the pipeline said of one frame.

    :ivar latency_s: time that it took.
    """

    image: BagImage
    image_size: tuple[int, int]
    emotions: Sequence[FaceEmotion]
    latency_s: float


class Evaluation:
    """Evaluates frame after frame; none is dropped, and time comes from their stamps.

    :param min_confidence: faces below it are labelled "unknown".
    :param lamp: None for no lamp.
    :param thumbnails: None for no pictures of faces.
    """

    def __init__(
        self,
        pipeline: EmotionPipeline,
        scoring: Scoring,
        table: EmotionsCsv,
        min_confidence: float,
        lamp: LampStrip | None = None,
        thumbnails: Thumbnails | None = None,
    ) -> None:
        self.scoring = scoring
        self.latencies = LatencyHistogram()
        self.unreadable: dict[str, int] = {}
        self._pipeline = pipeline
        self._table = table
        self._min_confidence = min_confidence
        self._lamp = lamp
        self._thumbnails = thumbnails

    def add(self, image: BagImage) -> EvaluatedFrame | None:
        """Evaluate a frame; None where its image cannot be read."""
        if image.pixels is None:
            self.scoring.add_unreadable()
            self.unreadable[image.error] = self.unreadable.get(image.error, 0) + 1
            return None
        start_s = time.perf_counter()
        emotions = self._pipeline.track(image.pixels, float(image.stamp_ns) * 1e-9)
        latency_s = time.perf_counter() - start_s
        self.latencies.add(latency_s)
        size = (image.pixels.shape[1], image.pixels.shape[0])
        frame = predicted_frame(image.stamp_ns, size, emotions, self._min_confidence)
        matches = self.scoring.add(frame)
        self._table.add(frame, matches)
        if self._lamp is not None:
            for stamp_ns, rgb in self._lamp.add(frame):
                self.scoring.timeline.add_lamp(stamp_ns, rgb)
        if self._thumbnails is not None:
            self._thumbnails.add(frame, image.pixels)
        return EvaluatedFrame(image, size, emotions, latency_s)
