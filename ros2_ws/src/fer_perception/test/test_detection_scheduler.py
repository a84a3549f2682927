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


RATE_HZ = 30.0


class Stream:
    """The scheduler with stamps of a camera."""

    def __init__(self, detector, interval_s, rate_hz=RATE_HZ):
        self.scheduler = DetectionScheduler(DetectionSchedule(interval_s))
        self.detector = detector
        self.step_s, self.stamp_s = 1.0 / rate_hz, 0.0

    def find(self, image, expected, **options):
        self.stamp_s += self.step_s
        return self.scheduler.find(self.detector, image, expected, self.stamp_s, **options)


@pytest.mark.parametrize("rate_hz", [10.0, 30.0])
def test_moving_face_is_followed_and_searched_for_only_at_the_interval(detector, rate_hz):
    source = open_frame_source("portrait")
    stream, expected = Stream(detector, 0.3, rate_hz), []
    reference = Mtcnn()
    for _ in range(round(rate_hz)):
        image = source.read()
        [face] = stream.find(image, expected)
        [truth] = reference.detect(image)
        assert face.box.iou(truth.box) > 0.75
        assert np.abs(face.landmarks - truth.landmarks).max() < 0.06 * truth.box.width
        expected = [face.box]
    assert detector.searches == 4


def test_new_face_is_found_within_the_interval(detector, portrait):
    stream = Stream(detector, 0.17)
    expected = _boxes(stream.find(_two_faces(portrait, False), []))
    assert len(expected) == 1
    frames = 0
    while len(expected) == 1:
        expected = _boxes(stream.find(_two_faces(portrait, True), expected))
        frames += 1
    assert len(expected) == 2 and frames <= 5


def test_face_that_leaves_is_gone_at_once_and_one_that_returns_is_found_at_once(
    detector, portrait
):
    stream = Stream(detector, 10.0)
    empty = np.full_like(portrait, int(portrait.mean()))
    boxes = _boxes(stream.find(portrait, []))
    assert stream.find(empty, boxes) == []
    assert len(stream.find(portrait, [])) == 1


def test_missing_face_is_found_at_its_place_without_a_search(detector, portrait):
    stream = Stream(detector, 10.0)
    both = _boxes(stream.find(_two_faces(portrait, True), []))
    for _ in range(8):  # covered, so that its scene changes less than a cut
        image = _two_faces(portrait, True)
        image[:, 320:] = int(image.mean())
        stream.find(image, both[:1], missing=both[1:])
    searches = detector.searches
    stream.find(_two_faces(portrait, True), both[:1], missing=both[1:])
    stream.find(_two_faces(portrait, True), both[:1], missing=both[1:])
    found = stream.find(_two_faces(portrait, True), both[:1], missing=both[1:])
    assert len(found) == 2 and detector.searches - searches <= 1


def test_searches_for_a_missing_face_come_soon_and_become_rarer(detector, portrait):
    stream = Stream(detector, 10.0)
    [known, lost] = _boxes(stream.find(_two_faces(portrait, True), []))
    alone = _two_faces(portrait, False)
    stream.find(alone, [known, lost])  # not confirmed: a search
    stream.find(alone, [known], missing=[lost])
    at, searches = [], detector.searches
    for frame in range(120):
        stream.find(alone, [known], missing=[lost])
        if detector.searches > searches:
            at.append(frame / RATE_HZ)
            searches = detector.searches
    gaps = np.diff([0.0, *at])
    assert at[0] <= 0.15 and 3 <= len(at) <= 8
    assert all(later > 1.5 * earlier for earlier, later in zip(gaps[1:], gaps[2:], strict=False))


def test_a_missing_face_is_not_a_known_one_twice(detector, portrait):
    stream = Stream(detector, 10.0)
    [face] = stream.find(portrait, [])
    stream.find(portrait, [face.box])
    beside = face.box.moved(5.0, 0.0)
    assert len(stream.find(portrait, [face.box], missing=[beside])) == 1


def test_face_that_jumps_is_looked_for_everywhere(detector, portrait):
    stream = Stream(detector, 10.0)
    [face] = stream.find(portrait, [])
    matrix = np.array([[0.5, 0.0, 300.0], [0.0, 0.5, 200.0]])
    moved = cv2.warpAffine(portrait, matrix, (640, 480), flags=cv2.INTER_AREA)
    [other] = stream.find(moved, [face.box])
    assert detector.searches == 2
    assert other.box.width == pytest.approx(0.5 * face.box.width, rel=0.2)


def test_two_boxes_that_slip_onto_one_face_are_one_face(detector, portrait):
    stream = Stream(detector, 10.0)
    [face] = stream.find(portrait, [])
    beside = BoundingBox(face.box.x + 5, face.box.y, face.box.width, face.box.height)
    assert len(stream.find(portrait, [face.box, beside])) == 1


def test_other_size_of_image_or_another_scene_is_searched(detector, portrait):
    stream = Stream(detector, 10.0)
    [face] = stream.find(portrait, [])
    stream.find(portrait[:400], [face.box])
    assert detector.searches == 2
    stream.find(portrait, [face.box])
    assert detector.searches == 3
    stream.find(portrait, [face.box])
    assert detector.searches == 3 and not stream.scheduler.is_new_scene
    lit = np.clip(portrait.astype(int) + 60, 0, 255).astype(np.uint8)
    stream.find(lit, [face.box])
    assert detector.searches == 4 and stream.scheduler.is_new_scene


def test_moving_camera_is_one_new_scene(detector, portrait):
    stream = Stream(detector, 10.0)
    new = []
    for shift in (0, 0, 160, 320, 480):
        stream.find(np.roll(portrait, shift, axis=1), [])
        new.append(stream.scheduler.is_new_scene)
    assert new[1:] == [False, True, False, False]


def test_interval_of_zero_searches_every_frame_and_less_effort_fewer(detector, portrait):
    stream, boxes = Stream(detector, 0.0), []
    for _ in range(3):
        boxes = _boxes(stream.find(portrait, boxes, effort=0.25))
    assert detector.searches == 3
    stream.scheduler.config = DetectionSchedule(2.0 / RATE_HZ)
    for _ in range(8):
        boxes = _boxes(stream.find(portrait, boxes, effort=0.5))
    assert detector.searches == 5


def test_detector_that_cannot_refine_searches_every_frame(portrait):
    class Plain:
        searches = 0

        def detect(self, image):
            self.searches += 1
            return []

    plain = Plain()
    for _ in range(3):
        DetectionScheduler().find(plain, portrait, [BoundingBox(0, 0, 9, 9)], 0.0)
    assert plain.searches == 3


def test_absurd_interval_is_refused_by_name():
    for value in (-0.1, float("nan")):
        with pytest.raises(ValueError, match="detection_interval_s"):
            DetectionSchedule(value)


def test_a_turning_camera_is_searched_before_the_interval_is_over(detector, portrait):
    """New faces come in at the edge."""
    image = _two_faces(portrait, second=False)
    stream = Stream(detector, 0.5)
    [known] = stream.find(image, [])
    for _ in range(6):
        stream.find(image, [known.box], shift_px_s=10.0)
    assert detector.searches == 1
    for _ in range(6):
        stream.find(image, [known.box], shift_px_s=0.12 * image.shape[1] / 0.1)
    assert detector.searches == 3
