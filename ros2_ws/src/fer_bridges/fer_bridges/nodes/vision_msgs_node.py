# SPDX-License-Identifier: Apache-2.0
"""Publishes our faces as ``vision_msgs/Detection2DArray``."""

from __future__ import annotations

from typing import Any, Final

from fer_msgs.msg import EmotionArray
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from std_msgs.msg import Header

from ..vision_messages import VisionMessages
from .run_bridge import run_bridge

_LATCHED: Final = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


class VisionMsgsNode(Node):
    """Subscribes ``emotions``; publishes ``~/detections`` and, latched, ``~/label_info``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("vision_msgs_bridge", **kwargs)
        self._messages = VisionMessages()
        self._detections = self.create_publisher(
            self._messages.detections_type, "~/detections", 10
        )
        label_info = self.create_publisher(
            self._messages.label_info_type, "~/label_info", _LATCHED
        )
        header = Header(stamp=self.get_clock().now().to_msg())
        label_info.publish(self._messages.label_info(header, min_confidence=0.0))
        self.create_subscription(EmotionArray, "emotions", self._on_emotions, 10)

    def close(self) -> None:
        """Release nothing: the node holds no device or thread."""

    def _on_emotions(self, message: EmotionArray) -> None:
        self._detections.publish(self._messages.detections(message))


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    run_bridge(VisionMsgsNode, args)


if __name__ == "__main__":
    main()
