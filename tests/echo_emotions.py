# SPDX-License-Identifier: Apache-2.0
"""A process that echoes messages; started by test_fer_msgs.py."""

from fer_msgs.msg import EmotionArray
from fer_msgs.srv import RecognizeEmotions
from rclpy.node import Node

from fer_common.nodes.runner import run_node


class Echo(Node):
    """Echo the topic ``there`` on ``back`` and serve ``recognize``."""

    def __init__(self) -> None:
        super().__init__("echo")
        publisher = self.create_publisher(EmotionArray, "back", 10)
        self.create_subscription(EmotionArray, "there", publisher.publish, 10)
        self.create_service(RecognizeEmotions, "recognize", self._answer)

    def _answer(
        self, request: RecognizeEmotions.Request, response: RecognizeEmotions.Response
    ) -> RecognizeEmotions.Response:
        response.success = True
        response.message = request.image.encoding
        response.emotions.image_width = request.image.width
        response.emotions.image_height = request.image.height
        return response

    def close(self) -> None:
        """Do nothing: the node holds no resources."""


if __name__ == "__main__":
    # Not rclpy.spin: a SIGINT that comes while it takes a message can leave it waiting for ever.
    run_node(Echo, None)
