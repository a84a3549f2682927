# SPDX-License-Identifier: Apache-2.0
"""Score the running graph with the report of the offline evaluation."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from fer_msgs.msg import EmotionArray
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import ColorRGBA

from fer_common.nodes.parameters import config_from_parameters, declare_options
from fer_common.options import option
from fer_perception.runtime.frame_clock import FrameClock

from ..bags.bag_images import choose_image_topic, images
from ..bags.bag_reader import OpenBag
from ..bags.message_types import MessageTypes
from ..report import provenance
from ..report.lamp_strip import MISSING
from ..report.output_folder import REPORT_FILE, OutputFolder
from ..report.report_files import write_report
from ..report.results import Results, timings
from ..report.unused import Unused
from ..scoring.emotions_csv import EMOTIONS_FILE, EmotionsCsv
from ..scoring.ground_truth import GroundTruth, LabelError, labels_from_topic, read_labels
from ..scoring.latency_histogram import LatencyHistogram
from ..scoring.predicted_face import PredictedFrame
from ..scoring.scorer import Scoring
from ..scoring.timeline import Rgb
from .exit_with_failure import run_and_exit
from .predicted_messages import latency_s, to_predicted_frame


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """Parameters of the score node."""

    out: str = option("replay_report", "Folder for the results.", read_only=True)
    bag: str = option(
        "",
        "The bag that is played, for its checksum and the stamp of its first image; may be empty.",
        read_only=True,
    )
    image_topic: str = option("", "The bag's topic with the images.", read_only=True)
    labels: str = option("", "CSV with the ground truth; may be empty.", read_only=True)
    labels_topic: str = option(
        "",
        "Topic of EmotionStamped in the bag with the ground truth; may be empty.",
        read_only=True,
    )
    overwrite: bool = option(
        False, "Replace the report of an earlier run in 'out'.", read_only=True
    )


class ScoreNode(Node):
    """Subscribe to the graph's results and write the report at the end.

    :ivar failure: why nothing was written; else empty.
    :raises BagError: when the bag cannot be read; likewise the errors of labels and of the folder.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("score", **kwargs)
        declare_options(self, ScoreSettings)
        self._settings = config_from_parameters(self, ScoreSettings)
        self.failure = ""
        self._folder = OutputFolder(
            Path(self._settings.out).expanduser(), self._settings.overwrite
        )
        # Before the bag is read, so that messages are queued in the meantime.
        self.create_subscription(EmotionArray, "emotions", self._on_emotions, 100)
        self._shown = _shown_color()
        if self._shown is not None:
            latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
            self.create_subscription(ColorRGBA, "color", self._on_color, latched)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        self._source: dict[str, Any] = {"kind": "live", "name": "live", "sha256": None}
        self._images_in_bag: int | None = None
        self._warnings: list[str] = []
        self._frame_clock = FrameClock()
        self._time_fault = ""
        self._scoring = Scoring(self._truth())
        self._latencies = LatencyHistogram()
        self._model_id = ""
        self._interventions: int | None = None
        self._first_s: float | None = None
        self._last_s = 0.0
        self._closed = False
        # Closed in close(), when the results are complete.
        self._folder.__enter__()
        self._files = ExitStack()
        table = self._folder.path(EMOTIONS_FILE).open("w", encoding="utf-8", newline="")
        self._table = EmotionsCsv(self._files.enter_context(table))

    def _truth(self) -> GroundTruth | None:
        """Return the labels, if any, and describe the bag."""
        settings = self._settings
        first_stamp_ns = 0
        rows = None
        if settings.labels_topic and not settings.bag:
            raise LabelError("labels_topic needs the parameter bag, which holds that topic")
        if settings.bag:
            path = Path(settings.bag).expanduser()
            with OpenBag(path) as bag:
                types = MessageTypes(bag.topics.values())
                topics = bag.topics.values()
                topic = choose_image_topic(topics, settings.image_topic, str(path))
                self._images_in_bag = bag.topics[topic].message_count
                self._source |= {
                    "name": path.name,
                    "sha256": provenance.sha256_of(bag.files),
                    "image_topic": topic,
                    "images_in_bag": self._images_in_bag,
                }
                first = next(images(bag, types, topic), None)
                first_stamp_ns = first.time_ns if first else 0
                if settings.labels_topic:
                    rows = labels_from_topic(bag, types, settings.labels_topic)
                self._warnings += bag.warnings
        if settings.labels:
            rows = read_labels(Path(settings.labels).expanduser(), first_stamp_ns)
        return GroundTruth(rows) if rows is not None else None

    def _on_emotions(self, message: EmotionArray) -> None:
        self._last_s = time.monotonic()
        self._first_s = self._first_s or self._last_s
        frame = self._timed(to_predicted_frame(message))
        self._table.add(frame, self._scoring.add(frame))
        latency = latency_s(message)
        if latency is not None:
            self._latencies.add(latency)
            self._model_id = message.faces[0].model_id

    def _timed(self, frame: PredictedFrame) -> PredictedFrame:
        """Return the frame, timed by its receipt when its stamps are faulty."""
        now_ns = self.get_clock().now().nanoseconds
        frame_time = self._frame_clock.advance(frame.stamp_ns * 1e-9, now_ns * 1e-9)
        if not frame_time.fault:
            return frame
        if not self._time_fault:
            self._warnings.append(f"the stamps {frame_time.fault}: the time of receipt is used")
        self._time_fault = frame_time.fault
        return replace(frame, stamp_ns=now_ns)

    def _on_color(self, message: ColorRGBA) -> None:
        # The recording's time begins with the first frame.
        if self._shown is not None and self._scoring.timeline.start_ns is not None:
            rgb = self._shown(message.r, message.g, message.b, message.a)
            self._scoring.timeline.add_lamp(self.get_clock().now().nanoseconds, rgb)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            for value in status.values:
                if value.key == "flash_limited" and value.value.isdigit():
                    self._interventions = int(value.value)

    def close(self) -> None:
        """Write the results, if any."""
        if self._closed:
            return
        self._closed = True
        self._files.close()
        if not self._scoring.metrics().frames:
            self.failure = "no emotions were received: nothing was written"
            error = ValueError(self.failure)
            self._folder.__exit__(ValueError, error, None)
            return
        metrics = self._scoring.metrics(self._interventions)
        wall_s = self._last_s - (self._first_s or self._last_s)
        unused = []
        if self._images_in_bag is not None and metrics.frames < self._images_in_bag:
            dropped = self._images_in_bag - metrics.frames
            unused.append(Unused("images", dropped, "they were not handled in time"))
        results = Results(
            source=self._source,
            model={"model_id": self._model_id},
            settings={"labels": self._settings.labels or self._settings.labels_topic},
            metrics=metrics,
            scoring=self._scoring,
            timings=timings(self._latencies, metrics.frames, metrics.duration_s, wall_s),
            latencies=self._latencies,
            host=provenance.host(),
            warnings=tuple(self._warnings),
            unused=tuple(unused),
            notes=() if self._shown is not None else (MISSING,),
        )
        write_report(self._folder, results)
        self._folder.__exit__(None, None, None)
        self.get_logger().info(
            f"{metrics.frames} frames scored: {self._folder.folder / REPORT_FILE}"
        )


def _shown_color() -> Callable[[float, float, float, float], Rgb] | None:
    """Return the conversion to a screen's colour; None without the light package."""
    try:
        from ambient_light_driver.color.light_color import LightColor
    except ImportError:
        return None
    return lambda red, green, blue, alpha: LightColor(red, green, blue, alpha).displayed_rgb()


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM, then write the results."""
    run_and_exit(ScoreNode, "score_node", args)


if __name__ == "__main__":
    main()
