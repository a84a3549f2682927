# SPDX-License-Identifier: Apache-2.0
"""A live node with cameras of faulty stamps or the other type."""

import math

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from fer_msgs.msg import EmotionArray, EmotionStamped
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import ColorRGBA, Header

from ambient_light_driver.color.palette import load_palette
from fer_perception.emotions import EMOTIONS
from fer_perception.images.frame_source import PortraitSource
from fer_perception.nodes.image_messages import to_image_message

PORTRAIT = PortraitSource(320, 240).read()
NODE = "/fer_perception"
WALL_S = 1_700_000_000


def header(stamp_ns):
    message = Header(frame_id="camera")
    message.stamp.sec, message.stamp.nanosec = divmod(stamp_ns, 10**9)
    return message


class Camera:
    """Publish the portrait at about 20 Hz with computed stamps."""

    def __init__(self, peer, stamp_ns):
        self.emotions = peer.collect(EmotionArray, f"{NODE}/emotions")
        self.arrays = peer.collect(DiagnosticArray, "/diagnostics")
        self._publisher = peer.node.create_publisher(Image, "/image", qos_profile_sensor_data)
        self._stamp_ns = stamp_ns
        self._count = 0
        peer.node.create_timer(0.05, self._publish)

    def _publish(self):
        message = to_image_message(PORTRAIT, header(self._stamp_ns(self._count)))
        self._publisher.publish(message)
        self._count += 1

    def frames_status(self):
        found = [s for a in self.arrays for s in a.status if s.name == "fer_perception: frames"]
        return found[-1] if found else DiagnosticStatus()


@pytest.mark.parametrize(
    ("fault", "stamp_ns"),
    [
        ("stand still", lambda k: WALL_S * 10**9),
        ("times too slowly", lambda k: WALL_S * 10**9 + 50 * k),
        ("jump back and forth", lambda k: (WALL_S if k % 2 else 1000) * 10**9 + k * 50_000_000),
        ("are 0", lambda k: 0),
    ],
)
def test_wrong_stamps_are_named_once_and_the_face_keeps_its_id(start_node, peer, fault, stamp_ns):
    node = start_node(
        "fer_perception", "emotion_node", "fer_perception", parameters={"event_dwell_s": 0.2}
    )
    camera = Camera(peer, stamp_ns)
    peer.wait_until(
        lambda: fault in camera.frames_status().message, "the diagnostics", nodes=(node.node,)
    )
    status = camera.frames_status()
    assert status.level == DiagnosticStatus.WARN
    assert "the time of receipt is used instead" in status.message
    assert {pair.key: pair.value for pair in status.values}["time"] == "receipt"
    camera.emotions.clear()
    peer.wait_until(lambda: len(camera.emotions) >= 30, "more emotions", nodes=(node.node,))
    assert len({face.face_id for m in camera.emotions for face in m.faces}) == 1
    # The messages keep what the camera gave.
    given = {(h.stamp.sec, h.stamp.nanosec) for h in map(header, map(stamp_ns, range(2000)))}
    assert {(m.header.stamp.sec, m.header.stamp.nanosec) for m in camera.emotions} <= given
    lines = [line for line in node.output.splitlines() if "the time of receipt is used" in line]
    assert len(lines) == 1 and "[WARN]" in lines[0] and "/image" in lines[0]


@pytest.mark.parametrize(
    ("transport", "topic", "message_type", "advice"),
    [
        ("raw", "/cam/packed", CompressedImage, "image_transport to compressed"),
        ("compressed", "/cam/packed/compressed", Image, "image_transport to raw"),
    ],
)
def test_a_topic_of_the_other_type_is_named_with_the_remedy(
    start_node, peer, transport, topic, message_type, advice
):
    node = start_node(
        "fer_perception",
        "emotion_node",
        "fer_perception",
        parameters={"image_transport": transport},
        remappings=(("image", "/cam/packed"),),
    )
    arrays = peer.collect(DiagnosticArray, "/diagnostics")
    peer.node.create_publisher(message_type, topic, qos_profile_sensor_data)

    def named():
        texts = [s.message for a in arrays for s in a.status if s.level == DiagnosticStatus.ERROR]
        return any(f"{topic} carries sensor_msgs/msg/" in t and advice in t for t in texts)

    peer.wait_until(named, "the type in the diagnostics", nodes=(node.node,))


@pytest.mark.parametrize(
    ("remapping", "topic"),
    [
        (("image", "/cam/image_raw"), "/cam/image_raw/compressed"),
        (("image", "/cam/image_raw/compressed"), "/cam/image_raw/compressed"),
        (("image/compressed", "/packed"), "/packed"),
    ],
)
def test_compressed_images_follow_the_remapped_name(start_node, peer, remapping, topic):
    node = start_node(
        "fer_perception",
        "emotion_node",
        "fer_perception",
        parameters={"image_transport": "compressed"},
        remappings=(remapping,),
    )
    images = peer.node.create_publisher(CompressedImage, topic, qos_profile_sensor_data)
    emotions = peer.collect(EmotionArray, f"{NODE}/emotions")
    data = cv2.imencode(".jpg", np.ascontiguousarray(PORTRAIT[..., ::-1]))[1].tobytes()

    def answered():
        images.publish(CompressedImage(header=header(10**9), format="jpeg", data=data))
        peer.spin(0.1)
        return any(m.faces for m in emotions)

    peer.wait_until(answered, "emotions", nodes=(node.node,))


def test_a_light_whose_simulation_has_no_clock_follows_faces_and_their_absence(start_node, peer):
    node = start_node(
        "ambient_light_driver",
        "light_node",
        "ambient_light",
        parameters={"use_sim_time": True, "devices": [""], "idle_timeout_s": 1.0},
    )
    emotions = peer.node.create_publisher(EmotionArray, "/emotions", 10)
    # Latched: a light that has settled before it is discovered does not publish again.
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    colors = peer.collect(ColorRGBA, "/ambient_light/color", latched)
    _, green, blue = load_palette("default").idle.displayed_rgb()

    def from_idle() -> float:
        return abs(colors[-1].g - green) + abs(colors[-1].b - blue) if colors else math.inf

    peer.wait_until(lambda: from_idle() < 0.01, "the idle colour", nodes=(node.node,))
    face = EmotionStamped(face_id="f0001", emotion="anger", confidence=1.0)
    face.scores[EMOTIONS.index("anger")] = 1.0

    def differs():
        emotions.publish(EmotionArray(faces=[face]))
        peer.spin(0.05)
        return from_idle() > 0.1

    peer.wait_until(differs, "the colour of anger", nodes=(node.node,))
    peer.wait_until(lambda: from_idle() < 0.01, "the idle colour again", nodes=(node.node,))
