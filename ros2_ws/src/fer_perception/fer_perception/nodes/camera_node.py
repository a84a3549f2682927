# SPDX-License-Identifier: Apache-2.0
"""Publishes the frames of a camera, a video, a folder of images, or a portrait."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from fer_common.nodes.parameters import config_from_parameters, declare_options
from fer_common.nodes.runner import run_node
from fer_common.options import option

from ..images.frame_source import FrameSource, FrameSourceError, open_frame_source
from .image_messages import to_image_message

_DEFAULT_RATE_HZ: Final = 30.0
_RETRY_PERIOD_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """Parameters of the camera node."""

    source: str = option(
        "",
        "A camera's index; the path of a video or of a folder of images; 'portrait'; or nothing "
        "for the first camera and, where there is none, the portrait.",
        read_only=True,
    )
    rate_hz: float = option(
        0.0,
        "Frames a second; 0 for the rate of the source, or 30 where it has none.",
        minimum=0.0,
        maximum=1000.0,
        read_only=True,
    )
    loop: bool = option(True, "Start again after the last frame of a video or folder.")
    frame_id: str = option(
        "camera_optical_frame", "Frame of the images (REP-103: z forward, y down)."
    )
    width: int = option(
        0,
        "Asked of a camera or the portrait [px]; 0 for its default.",
        minimum=0,
        maximum=16384,
        read_only=True,
    )
    height: int = option(
        0,
        "Asked of a camera or the portrait [px]; 0 for its default.",
        minimum=0,
        maximum=16384,
        read_only=True,
    )


class CameraNode(Node):
    """Publishes ``~/image_raw`` and ``~/camera_info``.

    A camera that vanishes is opened again as soon as it is there.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("camera", **kwargs)
        declare_options(self, CameraSettings)
        config_from_parameters(self, CameraSettings)  # refuses a wrong start value
        qos: dict[str, Any] = {
            "qos_profile": qos_profile_sensor_data,
            "qos_overriding_options": QoSOverridingOptions.with_default_policies(),
        }
        self._image_publisher = self.create_publisher(Image, "~/image_raw", **qos)
        self._info_publisher = self.create_publisher(CameraInfo, "~/camera_info", **qos)
        # Frames come at the source's pace, whatever a simulation's clock does.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._create_steady_timer = partial(self.create_timer, clock=steady)
        self._source: FrameSource | None = None
        self._ended = False
        self._error = ""
        self._frame_timer: Any = None
        self._create_steady_timer(_RETRY_PERIOD_S, self._open)
        self._open()

    def _open(self) -> None:
        if self._source is not None or self._ended:
            return
        width, height = (self.get_parameter(name).value for name in ("width", "height"))
        try:
            self._source = open_frame_source(self.get_parameter("source").value, width, height)
        except FrameSourceError as error:
            self._log_once(str(error))
            return
        self._error = ""
        rate_hz = self.get_parameter("rate_hz").value or self._source.rate_hz or _DEFAULT_RATE_HZ
        self._frame_timer = self._create_steady_timer(1.0 / rate_hz, self._on_timer)
        name = type(self._source).__name__
        self.get_logger().info(
            f"{name} on {self._image_publisher.topic_name} at {rate_hz:.2f} frames/s"
        )

    def _log_once(self, error: str) -> None:
        """Log an error that was not logged last; opening is tried again every second."""
        if error != self._error:
            self.get_logger().error(error)
        self._error = error

    def _on_timer(self) -> None:
        if self._source is None:
            return
        try:
            image = self._source.read()
            if image is None and self.get_parameter("loop").value:
                self._source.rewind()
                image = self._source.read()
        except FrameSourceError as error:
            self._log_once(str(error))
            if self._source.rate_hz is not None:
                self.close()
            return
        if image is None:
            self.get_logger().info("the source has ended")
            self._ended = True
            self.close()
            return
        header = Header(
            stamp=self.get_clock().now().to_msg(),
            frame_id=self.get_parameter("frame_id").value,
        )
        height, width = image.shape[:2]
        self._image_publisher.publish(to_image_message(image, header))
        # No calibration is known: K stays zero, which says so.
        self._info_publisher.publish(CameraInfo(header=header, width=width, height=height))

    def close(self) -> None:
        """Give the source back."""
        if self._frame_timer is not None:
            self.destroy_timer(self._frame_timer)
            self._frame_timer = None
        if self._source is not None:
            self._source.close()
            self._source = None


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    run_node(CameraNode, args)


if __name__ == "__main__":
    main()
