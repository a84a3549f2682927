# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import cv2
import numpy as np
import pytest

from fer_perception.detection.mtcnn import Mtcnn
from fer_perception.face import BoundingBox, Face
from fer_perception.images.frame_source import open_frame_source
from fer_perception.images.region import RegionOfInterest
from fer_perception.images.rotation import Rotation
from fer_perception.pipeline import FramePipeline, PipelineConfig
from fer_perception.recognition.model_store import load_model
from fer_perception.recognition.recognizer import EmotionRecognizer
from fer_perception.tracking.detection_scheduler import DetectionSchedule
from fer_perception.tracking.smoothing import ScoreSmoother
from fer_perception.tracking.tracker import FaceTracker


@pytest.fixture(scope="module")
def detector():
    return Mtcnn()


@pytest.fixture(scope="module")
def recognizer(shipped_model):
    return EmotionRecognizer(load_model(shipped_model))


@pytest.fixture
def pipeline(detector, recognizer):
    return FramePipeline(detector, recognizer, FaceTracker(), ScoreSmoother(0.5))


class ListedFaces:
    """A detector that returns given faces."""

    def __init__(self, *faces):
        self.faces = list(faces)

    def detect(self, image):
        return self.faces


def _face(confidence=0.99, x=10.0, size=40.0):
    return Face(BoundingBox(x, 10.0, size, size), confidence, np.full((5, 2), np.nan, np.float32))


def test_the_portrait_smiles(pipeline, portrait):
    [emotion] = pipeline.recognize(portrait)
    assert emotion.face_id == ""
    assert emotion.label() == "happiness"
    assert emotion.valence_arousal[0] > 0.5


def test_a_moving_face_keeps_its_id_and_its_label(pipeline):
    source = open_frame_source("portrait")
    seen = [pipeline.track(source.read(), i / 30) for i in range(30)]
    assert {emotion.face_id for frame in seen for emotion in frame} == {"f0001"}
    assert {emotion.label() for frame in seen for emotion in frame} == {"happiness"}


def test_doubtful_faces_are_left_out_and_the_largest_comes_first(pipeline, portrait):
    pipeline.detector = ListedFaces(
        _face(0.95, x=10), _face(0.5, x=100), _face(float("nan"), x=200, size=60)
    )
    found = pipeline.recognize(portrait)
    assert [emotion.face.box.x for emotion in found] == [200.0, 10.0]


def test_faces_outside_the_image_are_left_out(pipeline, portrait):
    pipeline.detector = ListedFaces(_face(x=5000.0))
    assert pipeline.recognize(portrait) == []


def test_stamps_that_overtake_do_not_lose_the_face_and_a_restart_does(pipeline, portrait):
    pipeline.detector = ListedFaces(_face())
    ids = [pipeline.track(portrait, t)[0].face_id for t in (10.0, 10.1, 10.05, 10.2)]
    assert len(set(ids)) == 1
    assert pipeline.track(portrait, 0.0)[0].face_id not in ids


def test_smoothing_belongs_to_the_face_and_ends_with_it(pipeline, portrait):
    pipeline.detector = ListedFaces(_face())
    scores = iter(np.eye(7, dtype=np.float32)[[0, 3, 3]])
    pipeline.recognizer = type(
        "Fixed", (), {"recognize": lambda self, crops, prior: next(scores)[None]}
    )()
    pipeline.track(portrait, 0.0)
    [second] = pipeline.track(portrait, 0.1)
    assert 0.1 < second.scores[3] < 0.3
    pipeline.detector.faces = []
    scores = iter(np.eye(7, dtype=np.float32)[[3]])
    pipeline.recognizer = type(
        "None_", (), {"recognize": lambda self, crops, prior: np.empty((0, 7))}
    )()
    assert pipeline.track(portrait, 5.0) == []
    pipeline.detector.faces = [_face()]
    pipeline.recognizer = type(
        "Fixed", (), {"recognize": lambda self, crops, prior: next(scores)[None]}
    )()
    [restarted] = pipeline.track(portrait, 5.1)
    # The crop is background, so its scores are drawn to equal ones; none of class 0 is left.
    assert restarted.scores.argmax() == 3 and np.ptp(np.delete(restarted.scores, 3)) < 1e-6
    assert restarted.face_id != second.face_id


def test_another_person_at_the_place_of_a_lost_face_has_an_id_and_scores_of_its_own(pipeline, rng):
    blobs = cv2.GaussianBlur(rng.integers(0, 256, (480, 640, 3), np.uint8), (0, 0), 4.0)
    ann = cv2.normalize(blobs, None, 0, 255, cv2.NORM_MINMAX)
    bob = ann.copy()
    bob[:130, :130] = ann[300:430, 300:430]
    pipeline.detector = ListedFaces(_face(size=100.0))
    before = [pipeline.track(ann, i / 30)[0] for i in range(10)][-1]
    pipeline.detector.faces = []
    assert pipeline.track(ann, 0.4) == []
    pipeline.detector.faces = [_face(size=100.0)]
    seen = [pipeline.track(bob, 0.8 + i / 30) for i in range(10)]
    assert seen[0] == [], "a half covered face may still be the first one"
    [first_scores] = pipeline.recognize(bob)
    ids = {face.face_id for frame in seen for face in frame}
    assert len(ids) == 1 and before.face_id not in ids
    np.testing.assert_allclose(seen[-1][0].scores, first_scores.scores, atol=1e-3)


def test_region_places_faces_in_the_image_and_leaves_out_those_outside(pipeline, portrait):
    [whole] = pipeline.recognize(portrait)
    center_x = whole.face.box.center[0] / 640
    pipeline.config = PipelineConfig(region=RegionOfInterest(center_x - 0.3, 0.0, 1.0, 1.0))
    for emotions in (pipeline.recognize(portrait), pipeline.track(portrait, 0.0)):
        [emotion] = emotions
        assert emotion.face.box.iou(whole.face.box) > 0.8
        assert np.abs(emotion.face.landmarks - whole.face.landmarks).max() < 10.0
        assert emotion.label() == whole.label()
    pipeline.config = PipelineConfig(region=RegionOfInterest(0.0, 0.0, 0.2, 1.0))
    assert pipeline.recognize(portrait) == []


def _following(detector, recognizer):
    config = PipelineConfig(detection_schedule=DetectionSchedule(10.0), recognition_rate_hz=15.0)
    return FramePipeline(detector, recognizer, FaceTracker(), ScoreSmoother(0.5), config)


def test_followed_face_keeps_its_id_and_its_label(detector, recognizer):
    pipeline = _following(detector, recognizer)
    source = open_frame_source("portrait")
    seen = [pipeline.track(source.read(), i / 30) for i in range(60)]
    assert {emotion.face_id for frame in seen for emotion in frame} == {"f0001"}
    assert {emotion.label() for frame in seen for emotion in frame} == {"happiness"}


def test_change_of_what_is_looked_for_reaches_faces_that_are_followed(
    detector, recognizer, portrait
):
    pipeline = _following(detector, recognizer)
    assert len(pipeline.track(portrait, 0.0)) == len(pipeline.track(portrait, 0.03)) == 1
    pipeline.config = replace(pipeline.config, region=RegionOfInterest(0.0, 0.0, 0.2, 1.0))
    assert pipeline.track(portrait, 0.06) == []
    pipeline.config = replace(pipeline.config, region=RegionOfInterest())
    assert len(pipeline.track(portrait, 0.1)) == 1
    pipeline.detector = ListedFaces()
    assert pipeline.track(portrait, 0.13) == []


def _labels(pipeline, path):
    """Return (label changes, ids, faces of each frame) of a video."""
    capture = cv2.VideoCapture(str(path))
    rate_hz = capture.get(cv2.CAP_PROP_FPS)
    labels, ids, counts = [], set(), []
    while True:
        there, frame = capture.read()
        if not there:
            return labels, ids, counts
        image = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        emotions = pipeline.track(image, len(counts) / rate_hz)
        counts.append(len(emotions))
        ids |= {emotion.face_id for emotion in emotions}
        label = emotions[0].label() if emotions else None
        if not labels or label != labels[-1]:
            labels.append(label)


@pytest.mark.parametrize("clip", ["single_face_neutral_smile.mp4", "face_then_no_face.mov"])
def test_followed_faces_of_a_clip_are_those_that_full_detection_finds(
    detector, recognizer, media, clip
):
    followed = _labels(_following(detector, recognizer), media / clip)
    searched = _labels(
        FramePipeline(detector, recognizer, FaceTracker(), ScoreSmoother(0.5)), media / clip
    )
    assert followed[2] == searched[2]  # as many faces in each frame
    assert len(followed[1]) == len(searched[1])
    assert followed[0][-1] == searched[0][-1]


@pytest.fixture(scope="module")
def sad_to_happy(detector, recognizer, media):
    """Labels, ids and numbers of faces of a clip in which a crying woman begins to smile."""
    pipeline = FramePipeline(detector, recognizer, FaceTracker(), ScoreSmoother(0.5))
    return _labels(pipeline, media / "pexels_sad_to_happy.mp4")


def test_video_goes_from_sadness_to_happiness_with_one_face(sad_to_happy):
    labels, ids, counts = sad_to_happy
    assert set(counts) == {1} and len(ids) == 1
    assert labels[-1] == "happiness" and "sadness" in labels


def test_video_changes_its_label_three_times_at_most(sad_to_happy):
    assert len(sad_to_happy[0]) - 1 <= 3


def test_video_in_which_the_face_leaves_ends_without_one(pipeline, media):
    _, ids, counts = _labels(pipeline, media / "face_then_no_face.mov")
    assert len(ids) == 1
    assert counts[0] == 1 and set(counts[80:]) == {0}


def test_drawing_that_moves_holds_no_face(pipeline, media):
    _, ids, counts = _labels(pipeline, media / "no_face.mp4")
    assert not ids and set(counts) == {0}


@pytest.mark.parametrize(
    ("photo", "label"),
    [
        pytest.param(
            "hri_user_angry.jpg",
            "anger",
            marks=pytest.mark.xfail(
                strict=True, reason="this network gives disgust and sadness 0.4 each"
            ),
        ),
        ("hri_user_happy.jpg", "happiness"),
        ("hri_user_surprised.jpg", "surprise"),
    ],
)
def test_webcam_photos_look_as_they_were_posed(pipeline, media, photo, label):
    image = cv2.cvtColor(cv2.imread(str(media / photo)), cv2.COLOR_BGR2RGB)
    [emotion] = pipeline.recognize(image)
    assert emotion.label() == label


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_sideways_camera_finds_the_face_where_its_image_has_it(pipeline, portrait, degrees):
    [upright] = pipeline.recognize(portrait)
    rotation = Rotation(degrees)
    sideways = rotation.inverse.image(portrait)
    height, width = portrait.shape[:2]
    expected = rotation.inverse.face(upright.face, width, height)
    pipeline.config = PipelineConfig(rotation=rotation)
    [found] = pipeline.recognize(sideways)
    assert found.face.box.iou(expected.box) > 0.9
    np.testing.assert_allclose(found.face.landmarks, expected.landmarks, atol=2.0)
    np.testing.assert_allclose(found.scores, upright.scores, atol=0.05)
    for number in range(3):
        [tracked] = pipeline.track(sideways, number / 30)
        assert tracked.face_id == "f0001" and tracked.face.box.iou(expected.box) > 0.9


def test_the_region_of_a_sideways_camera_is_of_its_own_image(pipeline, portrait):
    sideways = Rotation(90).inverse.image(portrait)
    [found] = FramePipeline(
        pipeline.detector,
        pipeline.recognizer,
        FaceTracker(),
        ScoreSmoother(0.5),
        PipelineConfig(rotation=Rotation(90)),
    ).recognize(sideways)
    edge = (found.face.box.x + found.face.box.width + 5.0) / sideways.shape[1]
    assert edge < 1.0
    pipeline.config = PipelineConfig(rotation=Rotation(90), region=RegionOfInterest(right=edge))
    assert len(pipeline.recognize(sideways)) == 1
    pipeline.config = PipelineConfig(rotation=Rotation(90), region=RegionOfInterest(left=edge))
    assert pipeline.recognize(sideways) == []
