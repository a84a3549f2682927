# SPDX-License-Identifier: Apache-2.0
"""Events of a face that appears, stays and leaves."""

import math
import time

import numpy as np
import pytest
from fer_msgs.msg import EmotionArray, FaceEvent
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fer_perception.images.frame_source import PortraitSource
from fer_perception.nodes.image_messages import to_image_message

PORTRAIT = PortraitSource().read()
EMPTY = np.full((480, 640, 3), 90, np.uint8)
SEND_AGAIN_S = 1.0
"""Images are best effort: one may be lost [s]."""
KINDS = {
    FaceEvent.FACE_APPEARED: "appeared",
    FaceEvent.FACE_LEFT: "left",
    FaceEvent.EMOTION_CHANGED: "changed",
    FaceEvent.EMOTION_HELD: "held",
}


@pytest.fixture
def stage(start_node, peer):
    """``show(image)`` processes it 0.1 s later; ``events`` collects the results.

    Each image waits for the answer to the one before: none is missing in what the node sees,
    however slow it is.
    """
    node = start_node(
        "fer_perception",
        "emotion_node",
        "fer_perception",
        parameters={"event_dwell_s": 0.3, "event_held_s": 1.0, "max_lost_s": 5.0},
    )

    class Stage:
        events = peer.collect(FaceEvent, "/fer_perception/events")
        answers = peer.collect(EmotionArray, "/fer_perception/emotions")
        images = peer.node.create_publisher(Image, "/image", qos_profile_sensor_data)
        stamp_ns = 0

        def kinds(self):
            return [KINDS[event.kind] for event in self.events]

        def show(self, image):
            self.stamp_ns += 100_000_000
            header = Header(frame_id="camera_optical_frame")
            header.stamp.sec, header.stamp.nanosec = divmod(self.stamp_ns, 10**9)
            message = to_image_message(image, header)
            published_s = -math.inf

            def answered():
                nonlocal published_s
                if time.monotonic() - published_s > SEND_AGAIN_S:
                    published_s = time.monotonic()
                    self.images.publish(message)
                return any(answer.header.stamp == header.stamp for answer in self.answers)

            peer.wait_until(answered, "the answer to an image", nodes=(node.node,))
            self.answers.clear()

        def show_until(self, image, condition, what):
            def done():
                self.show(image)
                return condition()

            peer.wait_until(done, what, nodes=(node.node,))

    stage = Stage()
    peer.wait_until(stage.images.get_subscription_count, "the node's subscription")
    return stage


def test_a_face_appears_holds_its_expression_and_leaves(stage):
    stage.show_until(PORTRAIT, lambda: "held" in stage.kinds(), "a held expression")
    stage.show_until(EMPTY, lambda: "left" in stage.kinds(), "the face's leaving")
    assert stage.kinds() == ["appeared", "held", "left"]
    appeared, held, left = stage.events
    assert appeared.emotion == held.emotion == left.emotion == "happiness"
    assert appeared.face_id == held.face_id == left.face_id != ""
    assert held.header.frame_id == "camera_optical_frame"
    assert held.duration.sec >= 1


def test_faces_leave_when_images_stop(stage, peer):
    stage.show_until(PORTRAIT, lambda: "appeared" in stage.kinds(), "a face")
    peer.wait_until(lambda: "left" in stage.kinds(), "the face's leaving")
