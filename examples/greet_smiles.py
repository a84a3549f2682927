#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Greet each new face and answer a smile once.

Try it without a face: ``ros2 run fer_client actor greeting`` in another terminal.
"""

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from std_msgs.msg import String

from fer_client import ExpressionMonitor, Face


class Attention(Node):
    """Follow who comes, smiles and leaves; publish sentences on ``~/say``."""

    def __init__(self) -> None:
        super().__init__("attention")
        self._answered: set[str] = set()
        self._say = self.create_publisher(String, "~/say", 10)
        monitor = ExpressionMonitor(self)
        monitor.on_appeared(lambda face: self._speak(f"Hello, {face.face_id}."))
        # Only a held smile counts; a short one may be a misclassification.
        monitor.on_held(self._answer, "happiness", held_s=2.0)
        monitor.on_left(self._part)
        self.get_logger().info("Looking out for people; what I say is on ~/say. Ctrl-C ends it.")

    def _answer(self, face: Face) -> None:
        if face.face_id not in self._answered:
            self._answered.add(face.face_id)
            self._speak(f"Nice to see you smile, {face.face_id}.")

    def _part(self, face: Face) -> None:
        self._answered.discard(face.face_id)
        self._speak(f"Goodbye, {face.face_id}.")

    def _speak(self, text: str) -> None:
        print(text, flush=True)
        self._say.publish(String(data=text))


if __name__ == "__main__":
    try:
        rclpy.init()
        rclpy.spin(Attention())
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
