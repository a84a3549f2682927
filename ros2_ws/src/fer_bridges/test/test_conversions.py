# SPDX-License-Identifier: Apache-2.0
"""What our messages become in those of others; nothing here needs a running graph."""

import importlib.util

import numpy as np
import pytest

from fer_bridges.expression_names import DEFAULT_NAMES, HRI_EXPRESSIONS
from fer_bridges.face_crop import aligned, cropped
from fer_bridges.image_buffer import ImageBuffer
from fer_bridges.message_package import message_package
from fer_perception.emotions import EMOTIONS
from fer_perception.face import BoundingBox


def _needs(package):
    return pytest.mark.skipif(
        importlib.util.find_spec(package) is None,
        reason=f"{package} is not there: our messages were not turned into its messages",
    )


@pytest.fixture
def face():
    messages = pytest.importorskip("fer_msgs.msg", reason="fer_msgs is not built")
    message = messages.EmotionStamped(
        face_id="f0001",
        emotion="anger",
        confidence=0.6,
        scores=[0.1, 0.0, 0.0, 0.2, 0.6, 0.1, 0.0],
        valence=-0.5,
        arousal=0.7,
        detection_confidence=0.98,
        landmarks=[
            messages.Point2D(x=float(x), y=float(y))
            for x, y in [(119.5, 79.5), (159.5, 80), (140, 100), (125, 120), (155, 120)]
        ],
    )
    message.roi.x_offset, message.roi.y_offset = 100, 60
    message.roi.width, message.roi.height = 80, 100
    message.header.frame_id = "camera_optical_frame"
    return message


def test_every_class_has_a_word_of_the_message():
    assert tuple(DEFAULT_NAMES) == EMOTIONS
    assert set(DEFAULT_NAMES.values()) <= set(HRI_EXPRESSIONS)
    assert len(set(DEFAULT_NAMES.values())) == len(EMOTIONS)


def test_missing_messages_are_named_with_the_remedy():
    with pytest.raises(ModuleNotFoundError, match="apt install ros-.*-no-such-msgs"):
        message_package("no_such_msgs")


@_needs("hri_msgs")
def test_words_are_those_of_the_real_message():
    expression = message_package("hri_msgs").Expression
    constants = {
        getattr(expression, name)
        for name in dir(type(expression))
        if name.isupper() and isinstance(getattr(expression, name), str)
    }
    assert constants == set(HRI_EXPRESSIONS)


@_needs("hri_msgs")
def test_ros4hri_gets_expression_box_and_landmarks(face):
    from fer_bridges.ros4hri_messages import Ros4HriMessages

    messages = Ros4HriMessages(DEFAULT_NAMES)
    expression = messages.expression(face)
    assert (expression.expression, expression.confidence) == ("angry", pytest.approx(0.6))
    assert (expression.valence, expression.arousal) == pytest.approx((-0.5, 0.7))
    roi = messages.roi(face, 320, 200)
    assert (roi.xmin, roi.ymin, roi.xmax, roi.ymax) == pytest.approx((0.3125, 0.3, 0.5625, 0.8))
    landmarks = messages.landmarks(face, 320, 200)
    # The eye on the image's left is the person's right one.
    right, left = landmarks.landmarks[68], landmarks.landmarks[69]
    assert (right.x, right.y, right.c) == pytest.approx((0.375, 0.4, 0.98))
    assert left.x == pytest.approx(0.5)
    assert sum(point.c > 0 for point in landmarks.landmarks) == 5
    for message in (expression, roi, landmarks):
        assert message.header.frame_id == "camera_optical_frame"


@_needs("hri_msgs")
def test_unknown_has_no_word_and_no_confidence(face):
    from fer_bridges.ros4hri_messages import Ros4HriMessages

    face.emotion, face.valence = "unknown", float("nan")
    expression = Ros4HriMessages(DEFAULT_NAMES).expression(face)
    assert (expression.expression, expression.confidence, expression.valence) == ("", 0.0, 0.0)


@_needs("vision_msgs")
def test_vision_msgs_gets_all_hypotheses_and_the_classes(face):
    from fer_bridges.vision_messages import VisionMessages

    messages = VisionMessages()
    fer_msgs = pytest.importorskip("fer_msgs.msg")
    array = fer_msgs.EmotionArray(header=face.header, faces=[face])
    [detection] = messages.detections(array).detections
    assert detection.id == "f0001"
    best, *others = (result.hypothesis for result in detection.results)
    names = {
        str(c.class_id): c.class_name for c in messages.label_info(face.header, 0.0).class_map
    }
    assert (names[best.class_id], best.score) == ("anger", pytest.approx(0.6))
    assert {names[other.class_id] for other in others} | {"anger"} == set(EMOTIONS)
    assert sorted([best.class_id, *(other.class_id for other in others)]) == list("0123456")
    center = detection.bbox.center.position
    assert (center.x, center.y, detection.bbox.size_x) == (140.0, 110.0, 80.0)
    label_info = messages.label_info(face.header, 0.0)
    assert [c.class_name for c in label_info.class_map] == list(EMOTIONS)
    assert [c.class_id for c in label_info.class_map] == list(range(7))


def test_buffer_gives_the_image_of_a_stamp_and_drops_what_is_older():
    images = ImageBuffer(max_images=3)
    for second in range(5):
        images.put((second, 0), f"image {second}")
    assert images.take((1, 0)) is None  # dropped, as there were too many
    assert images.take((3, 0)) == "image 3"
    assert images.take((2, 0)) is None
    assert images.take((4, 0)) == "image 4"


def test_crop_keeps_the_shape_of_the_face():
    image = np.zeros((200, 300, 3), np.uint8)
    image[60:160, 120:180] = 255  # 60 wide, 100 high
    crop = cropped(image, BoundingBox(120, 60, 60, 100), (128, 128))
    bright = crop[:, :, 0] > 128
    assert crop.shape == (128, 128, 3)
    assert bright.any(axis=0).sum() == pytest.approx(128 * 0.6, abs=3)
    assert bright.any(axis=1).sum() == pytest.approx(128, abs=3)


def test_alignment_makes_the_eyes_level():
    image = np.zeros((200, 200, 3), np.uint8)
    landmarks = np.array([[80, 90], [110, 70], [102, 92], [100, 118], [122, 103]], float)
    left, right = landmarks[:2].astype(int)
    for x, y in (left, right):
        image[y - 2 : y + 3, x - 2 : x + 3] = 255
    face = aligned(image, landmarks, (128, 128))
    rows, columns = np.nonzero(face[:, :, 0] > 100)
    left_rows, right_rows = rows[columns < 64], rows[columns >= 64]
    assert abs(left_rows.mean() - right_rows.mean()) < 6


def test_face_without_landmarks_is_not_aligned():
    image = np.zeros((50, 50, 3), np.uint8)
    assert aligned(image, np.full((5, 2), np.nan), (128, 128)) is None
