# SPDX-License-Identifier: Apache-2.0
"""CPU time in an empty room with and without ``idle_rate_hz``, and how soon a face is found."""

from __future__ import annotations

import os
import random
import statistics
import time
from dataclasses import dataclass
from typing import Final

import numpy as np
import rclpy
from fer_msgs.msg import EmotionArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fer_bringup import fast_dds
from fer_bringup.standalone.processes import NodeSpec, start, stop
from fer_perception.face import RgbImage
from fer_perception.nodes.image_messages import to_image_message
from robustness.soak.domain import own_domain

from .process_usage import ProcessUsage
from .test_images import moving_faces

TITLE: Final = "Perception while nobody is there, and how soon who comes is found: 30 Hz"
COLUMNS: Final = (
    "image",
    "idle_rate_hz",
    "CPU, % of a core",
    "answered/s",
    "found after, median ms",
    "longest ms",
)

_SIZES: Final = ((640, 480), (1280, 720))
_RATES_HZ: Final = (0.0, 2.0)
_CAMERA_HZ: Final = 30.0
_ARRIVALS: Final = 8
_IDLE_S: Final = 6.0
_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True)
class IdleRow:
    """Result of one idle rate.

    :ivar cpu_percent: of one core, by the perception's process in an empty room.
    :ivar found_ms: from the stamp of the first image with a face to its result, each time.
    """

    width: int
    height: int
    idle_rate_hz: float
    cpu_percent: float
    answered_hz: float
    found_ms: tuple[float, ...]


class _Room:
    """Publish images as a camera does and receive the results, in one thread."""

    def __init__(self, width: int, height: int) -> None:
        self.node = rclpy.create_node("bench_room")
        self._publisher = self.node.create_publisher(Image, "/image", qos_profile_sensor_data)
        self.answers = 0
        self.found_s: list[float] = []
        self.node.create_subscription(EmotionArray, "/fer_perception/emotions", self._hear, 50)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self.empty = np.full((height, width, 3), 90, np.uint8)
        self._next_s = time.monotonic()

    def _hear(self, message: EmotionArray) -> None:
        self.answers += 1
        if message.faces:
            self.found_s.append(time.time())

    def show(self, image: RgbImage) -> float:
        """Publish an image when it is due; return its stamp [s]."""
        while (left_s := self._next_s - time.monotonic()) > 0.0:
            self._executor.spin_once(timeout_sec=left_s)
        self._next_s = max(self._next_s + 1.0 / _CAMERA_HZ, time.monotonic())
        stamp_ns = time.time_ns()
        header = Header()
        header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, 10**9)
        self._publisher.publish(to_image_message(image, header))
        return stamp_ns * 1e-9

    def show_for(self, image: RgbImage, seconds: float) -> None:
        """Publish an image repeatedly."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.show(image)

    def find(self, image: RgbImage) -> float:
        """Publish an image with a face until it is found; return the time from its stamp [s].

        :raises TimeoutError: when it is not found.
        """
        self.found_s.clear()
        first_s = self.show(image)
        while not self.found_s:
            if time.time() - first_s > _TIMEOUT_S:
                raise TimeoutError(f"no face found in {_TIMEOUT_S:.0f} s")
            self.show(image)
        return self.found_s[0] - first_s

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self.node.destroy_node()


def _run(width: int, height: int, idle_rate_hz: float, seconds: float) -> IdleRow:
    [face] = moving_faces(width, height, 1, 1)
    parameters = (("idle_rate_hz", idle_rate_hz),)
    nodes = start(
        [NodeSpec("fer_perception", "emotion_node", "fer_perception", parameters=parameters)]
    )
    room = _Room(width, height)
    chance = random.Random(0)
    try:
        room.find(face)
        room.show_for(room.empty, _IDLE_S)
        usage = ProcessUsage(nodes[0].process.pid)
        cpu_s, begin_s, room.answers = usage.cpu_s(), time.monotonic(), 0
        room.show_for(room.empty, seconds)
        elapsed_s = time.monotonic() - begin_s
        cpu_percent, answered_hz = (
            100.0 * (usage.cpu_s() - cpu_s) / elapsed_s,
            room.answers / elapsed_s,
        )
        found_s = []
        for _ in range(_ARRIVALS):
            found_s.append(room.find(face))
            room.show_for(room.empty, _IDLE_S + chance.random())
        found_ms = tuple(1e3 * value for value in found_s)
        return IdleRow(width, height, idle_rate_hz, cpu_percent, answered_hz, found_ms)
    finally:
        room.close()
        stop(nodes)


def measure(seconds: float) -> list[IdleRow]:
    """Measure each size of image with and without an idle rate.

    :param seconds: duration of each empty room.
    """
    os.environ.update(fast_dds.variables())
    with own_domain():
        rclpy.init()
        try:
            return [_run(*size, rate_hz, seconds) for size in _SIZES for rate_hz in _RATES_HZ]
        finally:
            rclpy.shutdown()


def rows(measured: list[IdleRow]) -> list[list[str]]:
    """Return the cells of a table with :data:`COLUMNS`."""
    return [
        [
            f"{row.width}x{row.height}",
            f"{row.idle_rate_hz:g}",
            f"{row.cpu_percent:.1f}",
            f"{row.answered_hz:.1f}",
            f"{statistics.median(row.found_ms):.0f}",
            f"{max(row.found_ms):.0f}",
        ]
        for row in measured
    ]
