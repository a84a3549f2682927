# SPDX-License-Identifier: Apache-2.0
"""Several cameras in one process."""

import signal
import time

import pytest
from fer_msgs.msg import EmotionArray
from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fer_perception.images.frame_source import PortraitSource
from fer_perception.nodes.image_messages import to_image_message

SIDES = ("left", "right")


class Cameras:
    """A process with a node per side, and the test's subscriptions."""

    def __init__(self, start_node, peer):
        self._peer = peer
        self._images = {
            side: peer.node.create_publisher(Image, f"/{side}/image", qos_profile_sensor_data)
            for side in SIDES
        }
        self.answers = {
            side: peer.collect(EmotionArray, f"/{side}/fer_perception/emotions", 50)
            for side in SIDES
        }
        self.started = start_node(
            "fer_perception", "emotion_nodes", "emotion_nodes", arguments=SIDES
        )
        self._portrait = PortraitSource(320, 240).read()
        for side in SIDES:
            self.until(lambda side=side: (self.send(side), self.answers[side])[1], side)

    def send(self, side, count=1):
        for _ in range(count):
            now_s = time.time()
            header = Header(frame_id=side)
            header.stamp.sec, header.stamp.nanosec = int(now_s), int(now_s % 1.0 * 1e9)
            self._images[side].publish(to_image_message(self._portrait, header))

    def until(self, condition, what):
        self._peer.wait_until(condition, what, nodes=(self.started.node,))


@pytest.fixture
def cameras(start_node, peer):
    return Cameras(start_node, peer)


def test_each_camera_is_answered_for_itself_and_a_fast_one_leaves_the_other_its_turn(cameras):
    for answers in cameras.answers.values():
        answers.clear()

    def slow_one_is_answered():
        cameras.send("left", 20)  # far more than can be processed
        cameras.send("right")
        return len(cameras.answers["right"]) >= 10

    cameras.until(slow_one_is_answered, "answers to the slow camera")
    for side, answers in cameras.answers.items():
        assert {message.header.frame_id for message in answers} == {side}
        assert all(len(message.faces) == 1 for message in answers)
    # Half of the turns are the fast one's at most, but for those while the slow one has nothing.
    assert cameras.answers["left"]


def test_nodes_are_set_and_stopped_one_by_one(cameras, peer):
    setter = peer.node.create_client(SetParameters, "/left/fer_perception/set_parameters")
    change = Parameter("flip_average", value=True).to_parameter_msg()
    assert peer.call(setter, SetParameters.Request(parameters=[change])).results[0].successful
    for side in SIDES:
        state = peer.node.create_client(GetState, f"/{side}/fer_perception/get_state")
        assert peer.call(state, GetState.Request()).current_state.label == "active"
        cameras.answers[side].clear()
        cameras.until(
            lambda side=side: (cameras.send(side), cameras.answers[side])[1], "an answer"
        )
    assert cameras.started.stop(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("namespaces", "words"), [((), "required"), (("a b",), "namespace"), (("a", "/a"), "own")]
)
def test_a_wrong_command_line_is_one_clear_error(start_node, peer, namespaces, words):
    started = start_node("fer_perception", "emotion_nodes", "nodes", arguments=namespaces)
    peer.wait_until(lambda: not started.running, "the end")
    assert started.node.process.returncode == 2
    assert words in started.output.splitlines()[-1]
