# SPDX-License-Identifier: Apache-2.0
"""Publish the frames of a camera, stream, video, picture folder or portrait."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from fer_common.backoff import Backoff
from fer_common.nodes.parameters import config_from_parameters, declare_options
from fer_common.nodes.runner import run_node
from fer_common.nodes.shared_segments import give_back_unused_segments
from fer_common.options import option

from ..face import RgbImage
from ..images.frame_source import (
    FIRST_CAMERA,
    FrameSource,
    FrameSourceError,
    open_frame_source,
)
from ..images.playback import play
from .image_messages import to_image_message

_FIRST_RETRY_S: Final = 0.5
_JOIN_TIMEOUT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """Parameters of the camera node."""

    source: str = option(
        "",
        "A camera's index or device ('/dev/video0'); the address of a stream ('rtsp://...', "
        "'http://...'); the path of a video, of a folder of pictures or of one picture; "
        "'portrait'; or empty for the first camera and, where there is none, the portrait.",
        read_only=True,
    )
    rate_hz: float = option(
        0.0,
        "Frames per second; 0 for the source's own times, or 30 without any.",
        minimum=0.0,
        maximum=1000.0,
        read_only=True,
    )
    loop: bool = option(True, "Restart after the last frame of a video or folder.")
    frame_id: str = option(
        "camera_optical_frame", "Frame of the images (REP-103: z forward, y down)."
    )
    width: int = option(
        0,
        "Requested from a camera or the portrait [px]; 0 for its default.",
        minimum=0,
        maximum=16384,
        read_only=True,
    )
    height: int = option(
        0,
        "Requested from a camera or the portrait [px]; 0 for its default.",
        minimum=0,
        maximum=16384,
        read_only=True,
    )
    reconnect_s: float = option(
        5.0,
        "Longest time between two attempts to open a source that fails [s]; the first is 0.5 s.",
        minimum=_FIRST_RETRY_S,
        maximum=3600.0,
        read_only=True,
    )


class CameraNode(Node):
    """Publishes ``~/image_raw`` and ``~/camera_info``.

    A thread waits for frames, so that a stalled stream does not block the node. A failed source is
    reopened with exponential back-off.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("camera", **kwargs)
        give_back_unused_segments()
        declare_options(self, CameraSettings)
        self._settings = config_from_parameters(self, CameraSettings)
        qos: dict[str, Any] = {
            "qos_profile": qos_profile_sensor_data,
            "qos_overriding_options": QoSOverridingOptions.with_default_policies(),
        }
        self._image_publisher = self.create_publisher(Image, "~/image_raw", **qos)
        self._info_publisher = self.create_publisher(CameraInfo, "~/camera_info", **qos)
        self._stop = threading.Event()
        self._source = self._settings.source
        self._error = ""
        self._warned: set[str] = set()
        self._backoff = self._new_backoff()
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)
        self._thread.start()

    def _new_backoff(self) -> Backoff:
        return Backoff(first_s=_FIRST_RETRY_S, longest_s=self._settings.reconnect_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._open() as source:
                    is_first = True
                    for frame in play(source, self._stop, self._loops, self._settings.rate_hz):
                        self._publish(frame.image)
                        if is_first:
                            self._note_success(source)
                            is_first = False
                if not self._stop.is_set():
                    self.get_logger().info("the source has ended")
                return
            except FrameSourceError as error:
                if str(error) != self._error:
                    self.get_logger().error(str(error))
                self._error = str(error)
            self._stop.wait(self._backoff.next_s())

    def _open(self) -> FrameSource:
        asked = self._settings
        source = open_frame_source(
            self._source,
            asked.width,
            asked.height,
            asked.rate_hz,
            self._warn_once,
            may_choose=True,
        )
        if not self._source and source.is_live:
            self._source = FIRST_CAMERA  # no portrait takes its place when it is unplugged
        return source

    def _warn_once(self, text: str) -> None:
        if text not in self._warned:  # also when the source is opened again
            self._warned.add(text)
            self.get_logger().warning(text)

    def _note_success(self, source: FrameSource) -> None:
        rate = f"{source.rate_hz:.2f} frames/s" if source.rate_hz else "its own rate"
        self.get_logger().info(f"{source.name} on {self._image_publisher.topic_name} at {rate}")
        if self._error:
            self.get_logger().info(f"{source.name} gives frames again")
            self._error = ""
            self._backoff = self._new_backoff()

    def _loops(self) -> bool:
        return bool(self.get_parameter("loop").value)

    def _publish(self, image: RgbImage) -> None:
        header = Header(
            stamp=self.get_clock().now().to_msg(),
            frame_id=self.get_parameter("frame_id").value,
        )
        height, width = image.shape[:2]
        self._image_publisher.publish(to_image_message(image, header))
        # Uncalibrated: K stays zero (sensor_msgs/CameraInfo).
        self._info_publisher.publish(CameraInfo(header=header, width=width, height=height))

    def close(self) -> None:
        """Stop publishing and release the source."""
        self._stop.set()
        # A blocking capture cannot be interrupted; it ends with the process.
        self._thread.join(_JOIN_TIMEOUT_S)


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    run_node(CameraNode, args)


if __name__ == "__main__":
    main()
