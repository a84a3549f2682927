#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print the expression of every face, image by image."""

import rclpy
from fer_msgs.msg import EmotionArray
from rclpy.executors import ExternalShutdownException


def show(message: EmotionArray) -> None:
    """Print one line per face, largest first."""
    faces = [f"{face.face_id} {face.emotion} {face.confidence:.0%}" for face in message.faces]
    print(", ".join(faces) or "nobody", flush=True)


rclpy.init()
node = rclpy.create_node("see_emotions")
node.create_subscription(EmotionArray, "/fer_perception/emotions", show, 10)
try:
    rclpy.spin(node)
except (KeyboardInterrupt, ExternalShutdownException):
    pass
