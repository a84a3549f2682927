# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest

from fer_perception.detection.mtcnn import Mtcnn
from fer_perception.face import BoundingBox
from fer_perception.images.frame_source import open_frame_source
from fer_perception.tracking.detection_scheduler import DetectionSchedule, DetectionScheduler


class CountingMtcnn:
    """The real detector, and how often it searched a whole image."""

    def __init__(self):
        self._detector = Mtcnn()
        self.searches = 0

    def detect(self, image):
        self.searches += 1
        return self._detector.detect(image)

    def refine(self, image, boxes):
        return self._detector.refine(image, boxes)


@pytest.fixture
def detector():
    return CountingMtcnn()


def _boxes(faces):
    return [face.box for face in faces]


def _two_faces(portrait, second):
    """The portrait's face at the left and, if ``second``, again at the right."""
    view = cv2.resize(portrait, (320, 240), interpolation=cv2.INTER_AREA)
    return np.hstack([view, view if second else np.full_like(view, int(view.mean()))])


def test_moving_face_is_followed_and_searched_for_only_every_so_many_frames(detector):
    source = open_frame_source("portrait")
    follower, expected = DetectionScheduler(DetectionSchedule(detection_interval=10)), []
    reference = Mtcnn()
    for _ in range(30):
        image = source.read()
        [face] = follower.find(detector, image, expected)
        [truth] = reference.detect(image)
        assert face.box.iou(truth.box) > 0.75
        assert np.abs(face.landmarks - truth.landmarks).max() < 0.06 * truth.box.width
        expected = [face.box]
    assert detector.searches == 3


def test_new_face_is_found_within_the_interval(detector, portrait):
    follower = DetectionScheduler(DetectionSchedule(detection_interval=5))
    expected = _boxes(follower.find(detector, _two_faces(portrait, False), []))
    assert len(expected) == 1
    frames = 0
    while len(expected) == 1:
        expected = _boxes(follower.find(detector, _two_faces(portrait, True), expected))
        frames += 1
    assert len(expected) == 2 and frames <= 5


def test_face_that_leaves_is_gone_at_once_and_one_that_returns_is_found_at_once(
    detector, portrait
):
    follower = DetectionScheduler(DetectionSchedule(detection_interval=100))
    empty = np.full_like(portrait, int(portrait.mean()))
    boxes = _boxes(follower.find(detector, portrait, []))
    assert follower.find(detector, empty, boxes) == []
    assert len(follower.find(detector, portrait, [])) == 1


def test_face_that_jumps_is_looked_for_everywhere(detector, portrait):
    follower = DetectionScheduler(DetectionSchedule(detection_interval=100))
    [face] = follower.find(detector, portrait, [])
    matrix = np.array([[0.5, 0.0, 300.0], [0.0, 0.5, 200.0]])
    moved = cv2.warpAffine(portrait, matrix, (640, 480), flags=cv2.INTER_AREA)
    [other] = follower.find(detector, moved, [face.box])
    assert detector.searches == 2
    assert other.box.width == pytest.approx(0.5 * face.box.width, rel=0.2)


def test_two_boxes_that_slip_onto_one_face_are_one_face(detector, portrait):
    follower = DetectionScheduler(DetectionSchedule(detection_interval=100))
    [face] = follower.find(detector, portrait, [])
    beside = BoundingBox(face.box.x + 5, face.box.y, face.box.width, face.box.height)
    assert len(follower.find(detector, portrait, [face.box, beside])) == 1


def test_other_size_of_image_or_another_scene_is_searched(detector, portrait):
    follower = DetectionScheduler(DetectionSchedule(detection_interval=100))
    [face] = follower.find(detector, portrait, [])
    follower.find(detector, portrait[:400], [face.box])
    assert detector.searches == 2
    follower.find(detector, portrait, [face.box])
    assert detector.searches == 3
    follower.find(detector, portrait, [face.box])
    assert detector.searches == 3
    lit = np.clip(portrait.astype(int) + 60, 0, 255).astype(np.uint8)
    follower.find(detector, lit, [face.box])
    assert detector.searches == 4


def test_interval_of_one_searches_every_frame_and_less_effort_fewer(detector, portrait):
    follower = DetectionScheduler(DetectionSchedule(detection_interval=1))
    boxes = []
    for _ in range(3):
        boxes = _boxes(follower.find(detector, portrait, boxes, effort=0.25))
    assert detector.searches == 3
    follower.config = DetectionSchedule(detection_interval=2)
    for _ in range(8):
        boxes = _boxes(follower.find(detector, portrait, boxes, effort=0.5))
    assert detector.searches == 5


def test_detector_that_cannot_refine_searches_every_frame(portrait):
    class Plain:
        searches = 0

        def detect(self, image):
            self.searches += 1
            return []

    plain = Plain()
    for _ in range(3):
        DetectionScheduler().find(plain, portrait, [BoundingBox(0, 0, 9, 9)])
    assert plain.searches == 3


def test_absurd_interval_is_refused_by_name():
    with pytest.raises(ValueError, match="detection_interval"):
        DetectionSchedule(detection_interval=0)
