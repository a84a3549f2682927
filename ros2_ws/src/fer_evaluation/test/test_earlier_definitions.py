# SPDX-License-Identifier: Apache-2.0
"""Messages recorded before fer_msgs had all its fields."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from ament_index_python.packages import get_package_share_directory
from fer_msgs.msg import EmotionArray, EmotionStamped
from rclpy.serialization import deserialize_message
from rosbags.typesys import get_types_from_msg

from fer_evaluation import evaluate_bag
from fer_evaluation.bags.bag_reader import OpenBag
from fer_evaluation.bags.bag_writer import BagWriter
from fer_evaluation.bags.earlier_definitions import EarlierDefinitions
from fer_evaluation.bags.message_types import EMOTION_TYPE, EMOTIONS_TYPE, MessageTypes
from replay_bags import TOPIC, header, image_message, small_images, stamps

FACES = "/robot/emotions"
TRUTH = "/truth/emotion"


def earlier_types():
    """Types of the release before ``quality``."""
    folder = Path(get_package_share_directory("fer_msgs"), "msg")
    definitions = {f"fer_msgs/msg/{file.stem}": file.read_text() for file in folder.glob("*.msg")}
    new_lines = r"^(float32 quality |uint8 (QUALITY_|quality_faults)).*\n"
    definitions[EMOTION_TYPE] = re.sub(new_lines, "", definitions[EMOTION_TYPE], flags=re.M)
    types = MessageTypes()
    for name, text in definitions.items():
        types.typestore.register(get_types_from_msg(text, name))
    return types


@pytest.fixture
def bag(tmp_path):
    """A bag of images, faces and labels."""
    types = earlier_types()
    classes = types.typestore.types
    with BagWriter(tmp_path / "bag", types) as writer:
        for name, kind in (
            (TOPIC, "sensor_msgs/msg/Image"),
            (FACES, EMOTIONS_TYPE),
            (TRUTH, EMOTION_TYPE),
        ):
            writer.add_topic(name, kind)
        for image, stamp_ns in zip(small_images(3), stamps(3), strict=True):
            point = classes["fer_msgs/msg/Point2D"](x=1.0, y=2.0)
            face = classes[EMOTION_TYPE](
                header=header(classes, stamp_ns),
                face_id="f0001",
                roi=classes["sensor_msgs/msg/RegionOfInterest"](0, 0, 9, 9, False),
                emotion="sadness",
                confidence=0.75,
                scores=np.array([0.0, 0.0, 0.25, 0.75, 0.0, 0.0, 0.0], np.float32),
                entropy=0.1,
                valence=-0.5,
                arousal=0.2,
                detection_confidence=0.9,
                landmarks=[point] * 5,
                model_id="earlier@1",
                processing_latency=classes["builtin_interfaces/msg/Duration"](0, 5_000_000),
            )
            array = classes[EMOTIONS_TYPE](header(classes, stamp_ns), 32, 24, [face, face])
            writer.write_message(TOPIC, stamp_ns, image_message(classes, image, stamp_ns))
            writer.write_message(FACES, stamp_ns, array)
            writer.write_message(TRUTH, stamp_ns, face)
    return tmp_path / "bag"


def check(face):
    assert (face.face_id, face.emotion, face.model_id) == ("f0001", "sadness", "earlier@1")
    assert face.landmarks[4].y == 2.0 and face.processing_latency.nanosec == 5_000_000
    assert math.isnan(face.quality) and face.quality_faults == 0


def test_they_are_played_in_the_installed_definition(bag):
    """As the player publishes them: else rclpy reads texts from the bytes of other fields."""
    with OpenBag(bag) as opened:
        earlier = EarlierDefinitions(opened.topics.values())
        assert earlier.topics == {FACES, TRUTH}
        for message in opened.messages({FACES}):
            data = earlier.convert(message.data, EMOTIONS_TYPE)
            first, second = deserialize_message(data, EmotionArray).faces
            check(first)
            check(second)


def test_labels_are_read_and_a_copy_has_the_installed_definition(bag, tmp_path):
    words = [str(bag), "--labels-topic", TRUTH, "--out", str(tmp_path / "out"), "--quiet"]
    assert evaluate_bag.main([*words, "--write-bag", str(tmp_path / "copy")]) == 0
    with OpenBag(tmp_path / "copy") as copy:
        assert not EarlierDefinitions(copy.topics.values()).topics
        [*labels] = copy.messages({TRUTH})
        assert len(labels) == 3
        check(deserialize_message(labels[0].data, EmotionStamped))
