#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Combine the expressions of faces with their distance from a depth camera.

The depth image must be registered to the colour image. Requires ``message_filters``, part of every
ROS 2 installation.
"""

import sys

import numpy as np
import rclpy
from fer_msgs.msg import EmotionArray
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image, RegionOfInterest

try:
    from message_filters import ApproximateTimeSynchronizer, Subscriber
except ModuleNotFoundError:
    sys.exit(
        "emotion_and_distance.py needs message_filters, which is part of ROS 2: "
        "sudo apt install ros-$ROS_DISTRO-message-filters, and source its setup.bash"
    )

# Metres in one unit of each encoding (REP-118).
UNIT_M = {"16UC1": 0.001, "32FC1": 1.0}
PIXEL_TYPES = {"16UC1": np.uint16, "32FC1": np.float32}


def distance_m(depth: Image, roi: RegionOfInterest) -> float:
    """Return the median depth of a face's centre in metres, or NaN."""
    pixels = np.frombuffer(depth.data, PIXEL_TYPES[depth.encoding])
    rows = pixels.reshape(depth.height, -1)[:, : depth.width]
    top, left = roi.y_offset + roi.height // 4, roi.x_offset + roi.width // 4
    middle = (
        rows[top : top + roi.height // 2, left : left + roi.width // 2] * UNIT_M[depth.encoding]
    )
    known = middle[np.isfinite(middle) & (middle > 0)]
    return float(np.median(known)) if known.size else float("nan")


class EmotionAndDistance(Node):
    """Log each face's expression and distance.

    The client's faces carry no depth: two topics are matched by the stamps of their images.
    """

    def __init__(self) -> None:
        super().__init__("emotion_and_distance")
        emotions = Subscriber(self, EmotionArray, "/fer_perception/emotions")
        depth = Subscriber(
            self, Image, "/camera/depth/image_rect_raw", qos_profile=qos_profile_sensor_data
        )
        # Both carry the camera's stamps, so that the recogniser's delay does not matter.
        self._both = ApproximateTimeSynchronizer([emotions, depth], queue_size=30, slop=0.05)
        self._both.registerCallback(self._on_both)
        self.get_logger().info("Waiting for faces and depth images. Ctrl-C ends it.")

    def _on_both(self, emotions: EmotionArray, depth: Image) -> None:
        for face in emotions.faces:
            self.get_logger().info(
                f"{face.face_id}: {face.emotion}, {distance_m(depth, face.roi):.2f} m away"
            )


if __name__ == "__main__":
    try:
        rclpy.init()
        rclpy.spin(EmotionAndDistance())
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
