# SPDX-License-Identifier: Apache-2.0
import pytest
from fer_msgs.msg import EmotionArray, EmotionStamped

from fer_bringup.dashboard.downloads import picture_without_faces
from fer_bringup.dashboard.driving import driving_faces, id_prefix

TOPIC = "/robot1/fer_perception/emotions"


def face(name, index, size, x=0):
    message = EmotionStamped(face_id=name)
    message.scores[index] = 1.0
    message.roi.x_offset, message.roi.width, message.roi.height = x, size, size
    return message


SEEN = EmotionArray(
    image_width=640,
    image_height=480,
    faces=[face("f1", 1, 100), face("f2", 3, 60, 300), face("f3", 3, 40, 600)],
)


@pytest.mark.parametrize(
    ("rule", "selected", "driving"),
    [
        ("largest", "", ["f1"]),
        ("center", "", ["f2"]),
        ("mean", "", ["f1", "f2", "f3"]),
        ("majority", "", ["f2", "f3"]),
        ("face_id", "f3", ["f3"]),
        ("face_id", "f9", []),
        ("a rule of later", "", []),
    ],
)
def test_the_driving_faces_are_those_of_the_light(rule, selected, driving):
    assert driving_faces(SEEN, rule, selected, "") == driving


def test_with_several_cameras_only_a_face_by_its_id_is_known():
    prefix = id_prefix([TOPIC, "/robot2/fer_perception/emotions"], TOPIC)
    assert prefix == f"{TOPIC}/"
    assert driving_faces(SEEN, "largest", "", prefix) == []
    assert driving_faces(SEEN, "face_id", f"{TOPIC}/f2", prefix) == ["f2"]
    assert id_prefix([TOPIC], TOPIC) == ""


def test_a_picture_without_faces_is_made_of_messages_only():
    assert picture_without_faces(SEEN, 0.5).startswith(b"\x89PNG")
    hostile = EmotionArray(image_width=640, image_height=480, faces=[face("f", 0, 2**31 - 1)])
    hostile.faces[0].landmarks[0].x = float("inf")
    hostile.faces[0].scores[0] = float("nan")
    assert picture_without_faces(hostile, 0.5).startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="0 x 0 px"):
        picture_without_faces(EmotionArray(), 0.5)
