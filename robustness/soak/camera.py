# SPDX-License-Identifier: Apache-2.0
"""A camera with configurable faults."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from builtin_interfaces.msg import Time
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fer_perception.face import RgbImage
from fer_perception.images.frame_source import PortraitSource
from fer_perception.nodes.image_messages import to_image_message

_CONVERSIONS = {
    "rgb8": None,
    "bgr8": cv2.COLOR_RGB2BGR,
    "mono8": cv2.COLOR_RGB2GRAY,
    "rgba8": cv2.COLOR_RGB2RGBA,
}
ENCODINGS = tuple(_CONVERSIONS)
"""Encodings that it can send."""

NOBODY = -1
"""A scene without a face."""

PORTRAIT = 0
"""The scene of the moving portrait; from 1 on, the pictures given to the camera."""


@dataclass(frozen=True)
class CameraMode:
    """Behaviour of the camera.

    :ivar running: whether it sends anything.
    :ivar size: width and height [px].
    :ivar clock_offset_s: offset of its clock from the true time [s].
    :ivar scene: number of the scene.
    """

    running: bool = True
    size: tuple[int, int] = (640, 480)
    encoding: str = "rgb8"
    frame_id: str = "camera_optical_frame"
    clock_offset_s: float = 0.0
    scene: int = PORTRAIT


class Camera:
    """Publish the scene on ``/camera/image_raw`` from its own thread.

    :param node: the node to publish with.
    :param rate_hz: images per second.
    :param has_clock: also publish its clock on ``/clock``, like a simulation.
    :param pictures: of faces, for the scenes from 1 on.
    """

    def __init__(
        self,
        node: Node,
        rate_hz: float,
        has_clock: bool = False,
        pictures: Sequence[RgbImage] = (),
    ) -> None:
        self.mode = CameraMode()
        self.scenes = (NOBODY, PORTRAIT, *range(1, 1 + len(pictures)))
        self.sent = 0
        self._changing = threading.Lock()
        self._period_s = 1.0 / rate_hz
        self._images = node.create_publisher(Image, "/camera/image_raw", qos_profile_sensor_data)
        self._clock = node.create_publisher(Clock, "/clock", 10) if has_clock else None
        self._pictures = pictures
        self._sources: dict[tuple[int, int], PortraitSource] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def change(self, **fields: object) -> None:
        """Change the mode with the next image; thread-safe."""
        with self._changing:
            self.mode = replace(self.mode, **fields)  # type: ignore[arg-type]

    def stamp_s(self) -> float:
        """Return the current time of its clock [s]."""
        return time.time() + self.mode.clock_offset_s

    def close(self) -> None:
        """Stop permanently."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        next_s = time.monotonic()
        while not self._stopping.is_set():
            mode = self.mode
            stamp = _to_stamp(self.stamp_s())
            if self._clock is not None:
                self._clock.publish(Clock(clock=stamp))
            if mode.running:
                self._images.publish(self._image(mode, stamp))
                self.sent += 1
            # A delayed camera does not catch up.
            next_s = max(next_s + self._period_s, time.monotonic() - self._period_s)
            self._stopping.wait(max(0.0, next_s - time.monotonic()))

    def _image(self, mode: CameraMode, stamp: Time) -> Image:
        image = self._scene(mode)
        message = to_image_message(image, Header(stamp=stamp, frame_id=mode.frame_id))
        conversion = _CONVERSIONS[mode.encoding]
        if conversion is not None:
            converted = cv2.cvtColor(image, conversion)
            message.encoding = mode.encoding
            message.step = converted.size // mode.size[1]
            message.data = converted.tobytes()
        return message

    def _scene(self, mode: CameraMode) -> RgbImage:
        width, height = mode.size
        if mode.scene == NOBODY:
            return np.full((height, width, 3), 90, np.uint8)
        if mode.scene > PORTRAIT:
            return cv2.resize(self._pictures[mode.scene - 1], mode.size)
        if mode.size not in self._sources:
            self._sources[mode.size] = PortraitSource(*mode.size)
        return self._sources[mode.size].read()


def _to_stamp(seconds: float) -> Time:
    fraction, whole = math.modf(max(0.0, seconds))
    return Time(sec=int(whole), nanosec=int(fraction * 1e9))
