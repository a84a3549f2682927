#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Greet each new face and answer a smile once.

It needs no state: the events report what is new.
"""

import rclpy
from fer_msgs.msg import FaceEvent
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from std_msgs.msg import String


class Attention(Node):
    """Subscribe to events; publish sentences on ``~/say``."""

    def __init__(self) -> None:
        super().__init__("attention")
        self._greeted: set[str] = set()
        self._say = self.create_publisher(String, "~/say", 10)
        self.create_subscription(FaceEvent, "/fer_perception/events", self._on_event, 50)

    def _on_event(self, event: FaceEvent) -> None:
        if event.kind == FaceEvent.FACE_APPEARED:
            self._speak(f"Hello, {event.face_id}.")
        elif event.kind == FaceEvent.FACE_LEFT:
            self._speak(f"Goodbye, {event.face_id}.")
            self._greeted.discard(event.face_id)
        elif self._is_new_smile(event):
            self._greeted.add(event.face_id)
            self._speak(f"Nice to see you smile, {event.face_id}.")

    def _is_new_smile(self, event: FaceEvent) -> bool:
        # Only a held smile counts; a short one may be a misclassification.
        is_smile = event.kind == FaceEvent.EMOTION_HELD and event.emotion == "happiness"
        return is_smile and event.face_id not in self._greeted

    def _speak(self, text: str) -> None:
        self.get_logger().info(text)
        self._say.publish(String(data=text))


rclpy.init()
try:
    rclpy.spin(Attention())
except (KeyboardInterrupt, ExternalShutdownException):
    pass
