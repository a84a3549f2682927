# SPDX-License-Identifier: Apache-2.0
"""Nodes that are given names which cannot be: one clear error, and no traceback."""

import pytest
from fer_msgs.msg import EmotionArray
from lifecycle_msgs.srv import GetState
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import ColorRGBA, Header

from fer_bringup.standalone.processes import NodeSpec, command, start
from fer_perception.images.frame_source import PortraitSource
from fer_perception.nodes.image_messages import to_image_message

NODES = (
    ("fer_perception", "emotion_node"),
    ("fer_perception", "camera_node"),
    ("ambient_light_driver", "light_node"),
)
RULES = (
    "image:=a b",
    "__ns:=/a b; rm -rf",
    "__ns:=/" + "n" * 400,
    "__node:=../../etc/passwd",
)


@pytest.mark.parametrize(("package", "executable"), NODES)
def test_a_name_that_cannot_be_is_said_in_one_line(
    package, executable, ros_domain, tmp_path, peer
):
    nodes = []
    for number, rule in enumerate(RULES):
        ours, _, graphs = rule.partition(":=")
        name = graphs if ours == "__node" else "node"
        namespace = graphs if ours == "__ns" else ""
        remappings = ((ours, graphs),) if ours == "image" else ()
        spec = NodeSpec(package, executable, name, namespace, remappings=remappings)
        assert rule in command(spec)
        nodes += start([spec], output=(tmp_path / str(number)).open("wb"))
    peer.wait_until(lambda: not any(node.running for node in nodes), "the ends")
    for number, node in enumerate(nodes):
        output = (tmp_path / str(number)).read_text()
        # Respawn leaves a node alone that was started wrongly.
        assert node.process.returncode == 2, (RULES[number], output)
        assert "cannot start: " in output and "Traceback" not in output, output


def test_a_topic_that_is_too_long_leaves_the_perception_alive_and_inactive(start_node, peer):
    node = start_node(
        "fer_perception",
        "emotion_node",
        "fer_perception",
        remappings=(("image", "/" + "x" * 300),),
    )
    peer.wait_until(lambda: "cannot be activated" in node.output, "the error", nodes=(node.node,))
    client = peer.node.create_client(GetState, "/fer_perception/get_state")
    assert peer.call(client, GetState.Request()).current_state.label == "inactive"
    assert node.stop() == 0


@pytest.mark.parametrize("topic", ["../a b", "/" + "x" * 300, "{unknown}"])
def test_a_topic_that_cannot_be_leaves_the_light_alive(start_node, peer, topic):
    node = start_node(
        "ambient_light_driver",
        "light_node",
        "ambient_light",
        parameters={"devices": [""], "emotions_topics": [topic]},
    )
    peer.wait_until(lambda: "is not a topic name" in node.output, "the error", nodes=(node.node,))
    client = peer.node.create_client(GetState, "/ambient_light/get_state")
    assert peer.call(client, GetState.Request()).current_state.label == "unconfigured"
    assert node.stop() == 0


def test_hostile_frames_and_ids_are_passed_on_and_nothing_else_happens(start_node, peer):
    perception = start_node("fer_perception", "emotion_node", "fer_perception")
    light = start_node(
        "ambient_light_driver",
        "light_node",
        "ambient_light",
        parameters={"devices": [""]},
        remappings=(("emotions", "/fer_perception/emotions"),),
    )
    images = peer.node.create_publisher(Image, "/image", qos_profile_sensor_data)
    emotions = peer.collect(EmotionArray, "/fer_perception/emotions")
    colors = peer.collect(ColorRGBA, "/ambient_light/color")
    portrait = PortraitSource(320, 240).read()
    for frame in (
        "",
        "../../etc/passwd",
        "$(reboot)",
        "\x1b[2J\r\n",
        "ä\u202e/",
        "%s%n{}",
        "f" * 10**5,
    ):
        emotions.clear()
        colors.clear()
        message = to_image_message(portrait, Header(frame_id=frame))

        def answered(message=message, frame=frame):
            images.publish(message)
            return emotions and colors

        peer.wait_until(answered, "an answer", nodes=(perception.node, light.node))
    for node in (perception, light):
        assert "\x1b[2J" not in node.output
