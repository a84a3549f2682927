# SPDX-License-Identifier: Apache-2.0
"""Frames received, frames answered and latency of the running graph."""

import os
import statistics
import threading
import time
from dataclasses import dataclass

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from fer_msgs.msg import EmotionArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fer_bringup import fast_dds
from fer_bringup.standalone.processes import NodeSpec, start, stop
from fer_perception.face import RgbImage
from fer_perception.nodes.image_messages import to_image_message
from fer_perception.recognition.installed_models import DEFAULT_MODEL
from robustness.soak.domain import own_domain

from .process_usage import ProcessUsage
from .test_images import moving_faces
from .tested_model import COMPACT

CASES = (
    (640, 480, 1, DEFAULT_MODEL),
    (1280, 720, 4, DEFAULT_MODEL),
    (1280, 720, 20, DEFAULT_MODEL),
    (1280, 720, 20, COMPACT.name),
    (1920, 1080, 1, DEFAULT_MODEL),
)
"""Width, height, number of faces, model."""

_RATE_HZ = 30.0
_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class GraphRow:
    """Result of best-effort frames at 30 Hz between two processes.

    :ivar received: frames that reached the node.
    :ivar answered: frames for which it published emotions.
    :ivar answered_hz: the same per second.
    :ivar latency_p50_ms: from the stamp of a frame to the receipt of its emotions.
    :ivar latency_p95_ms: the same, 95th percentile.
    :ivar cpu_percent: of one core, by the node's process.
    :ivar memory_mb: resident memory of the node at the start and at the end.
    """

    width: int
    height: int
    faces: int
    model: str
    sent: int
    received: int
    answered: int
    answered_hz: float
    latency_p50_ms: float
    latency_p95_ms: float
    cpu_percent: float
    memory_mb: tuple[float, float]


class _Camera:
    """Publish frames like a camera driver and receive the results."""

    def __init__(self) -> None:
        self.node = rclpy.create_node("bench_camera")
        self.publisher = self.node.create_publisher(Image, "/image", qos_profile_sensor_data)
        self.latencies_s: list[float] = []
        self.received = 0
        self.node.create_subscription(
            EmotionArray, "/fer_perception/emotions", self._on_emotions, 50
        )
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        threading.Thread(target=self._executor.spin, daemon=True).start()

    def _on_emotions(self, message: EmotionArray) -> None:
        stamp = message.header.stamp
        self.latencies_s.append(time.time() - stamp.sec - 1e-9 * stamp.nanosec)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            for pair in status.values:
                if status.name == "fer_perception: frames" and pair.key == "received":
                    self.received = int(pair.value)

    def publish(self, image: RgbImage) -> None:
        now = self.node.get_clock().now().to_msg()
        self.publisher.publish(to_image_message(image, Header(stamp=now, frame_id="bench")))

    def answers(self, image: RgbImage) -> bool:
        """Publish a frame and return whether emotions were received."""
        self.publish(image)
        return bool(self.latencies_s)

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()


def _wait_for(condition: object, what: str) -> None:
    assert callable(condition)
    end = time.monotonic() + _TIMEOUT_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {_TIMEOUT_S:.0f} s for {what}")
        time.sleep(0.05)


def _run(width: int, height: int, faces: int, model: str, seconds: float) -> GraphRow:
    views = moving_faces(width, height, faces, 30)
    nodes = start(
        [
            NodeSpec(
                "fer_perception", "emotion_node", "fer_perception", parameters=(("model", model),)
            )
        ]
    )
    camera = _Camera()
    try:
        _wait_for(camera.publisher.get_subscription_count, "the node")
        # Discovery completes at different times on each side: the first frames may be lost.
        _wait_for(lambda: camera.answers(views[0]), "the first emotions")
        # The node reports its counters every second.
        _wait_for(lambda: camera.received >= 1, "the first diagnostics")
        _publish(camera, views, round(2.0 * _RATE_HZ))  # until memory and caches are stable
        time.sleep(1.5)
        before, camera.latencies_s = camera.received, []
        usage = ProcessUsage(nodes[0].process.pid)
        memory_mb, cpu_s = usage.memory_mb(), usage.cpu_s()
        sent = round(seconds * _RATE_HZ)
        elapsed_s = _publish(camera, views, sent)
        cpu_s, memory_after_mb = usage.cpu_s() - cpu_s, usage.memory_mb()
        time.sleep(2.5)
        latencies = camera.latencies_s
        return GraphRow(
            width,
            height,
            faces,
            model,
            sent,
            camera.received - before,
            len(latencies),
            len(latencies) / elapsed_s,
            1e3 * statistics.median(latencies),
            1e3 * float(np.percentile(latencies, 95)),
            100 * cpu_s / elapsed_s,
            (memory_mb, memory_after_mb),
        )
    finally:
        camera.close()
        stop(nodes)


def _publish(camera: _Camera, views: list[RgbImage], count: int) -> float:
    """Publish ``count`` frames at 30 Hz; return the duration in seconds."""
    begin = time.monotonic()
    for i in range(count):
        camera.publish(views[i % len(views)])
        time.sleep(max(0.0, begin + (i + 1) / _RATE_HZ - time.monotonic()))
    return time.monotonic() - begin


def measure(seconds: float) -> list[GraphRow]:
    """Measure :data:`CASES` with the Fast DDS profile of the launch files.

    :param seconds: duration of each.
    """
    os.environ.update(fast_dds.variables())
    # Another graph on this machine would also answer the images.
    with own_domain():
        rclpy.init()
        try:
            return [_run(*case, seconds) for case in CASES]
        finally:
            rclpy.shutdown()
