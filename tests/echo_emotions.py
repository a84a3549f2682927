# SPDX-License-Identifier: Apache-2.0
"""A process that sends back what it gets; started by test_fer_msgs.py."""

import contextlib

import rclpy
from fer_msgs.msg import EmotionArray
from fer_msgs.srv import RecognizeEmotions
from rclpy.executors import ExternalShutdownException


def main() -> None:
    """Echo the topic ``there`` on ``back`` and answer the service ``recognize``."""
    rclpy.init()
    node = rclpy.create_node("echo")
    publisher = node.create_publisher(EmotionArray, "back", 10)
    node.create_subscription(EmotionArray, "there", publisher.publish, 10)

    def answer(
        request: RecognizeEmotions.Request, response: RecognizeEmotions.Response
    ) -> RecognizeEmotions.Response:
        response.success = True
        response.message = request.image.encoding
        response.emotions.image_width = request.image.width
        response.emotions.image_height = request.image.height
        return response

    node.create_service(RecognizeEmotions, "recognize", answer)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)


if __name__ == "__main__":
    main()
