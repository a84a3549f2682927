# SPDX-License-Identifier: Apache-2.0
import math
import shutil

import cv2
import numpy as np
import pytest

from fer_perception.detection import create_detector, native_cascade
from fer_perception.detection.mtcnn import Mtcnn, MtcnnConfig
from fer_perception.detection.mtcnn_weights import HASHES_FILE, load_graph, load_weights
from fer_perception.detection.native_cascade import NativeCascade
from fer_perception.detection.non_maximum_suppression import non_maximum_suppression
from fer_perception.face import BoundingBox
from fer_perception.inference import native_library
from fer_perception.inference.model_files import ModelError
from fer_perception.inference.native_library import INSTRUCTION_SETS

needs_library = pytest.mark.skipif(
    not native_library.is_built(),
    reason="built without a C++ compiler: the native cascade was not checked",
)


@pytest.fixture(
    scope="module",
    params=["onnxruntime", pytest.param("native", marks=needs_library)],
)
def backend(request):
    return request.param


@pytest.fixture(scope="module")
def detector(backend):
    return Mtcnn(MtcnnConfig(backend=backend))


def test_one_face_in_the_portrait_with_landmarks_in_their_places(detector, portrait):
    [face] = detector.detect(portrait)
    assert face.confidence > 0.99
    left_eye, right_eye, nose, mouth_left, mouth_right = face.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert mouth_left[0] < mouth_right[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(mouth_left[1], mouth_right[1])
    box = face.box
    assert all(box.x < x < box.x + box.width for x, _ in face.landmarks)
    assert all(box.y < y < box.y + box.height for _, y in face.landmarks)


def test_box_follows_the_face_when_the_image_is_scaled_and_shifted(detector, portrait):
    [face] = detector.detect(portrait)
    matrix = np.array([[0.6, 0.0, 90.0], [0.0, 0.6, 40.0]])
    moved = cv2.warpAffine(portrait, matrix, (640, 480), flags=cv2.INTER_AREA)
    [other] = detector.detect(moved)
    expected = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(other.landmarks - expected).max() < 0.05 * other.box.width


def test_faces_below_the_smallest_size_are_not_looked_for(detector, backend, portrait):
    [face] = detector.detect(portrait)
    config = MtcnnConfig(min_face_px=3 * face.box.width, backend=backend)
    assert not Mtcnn(config).detect(portrait)


def test_border_finds_a_face_that_the_edge_cuts_where_it_is(detector, backend, portrait):
    [whole] = detector.detect(portrait)
    cut_x = round(whole.box.x + 0.3 * whole.box.width)
    cut = np.ascontiguousarray(portrait[:, cut_x:])
    [face] = Mtcnn(MtcnnConfig(border=0.25, backend=backend)).detect(cut)
    right_edge = whole.box.x + whole.box.width - cut_x
    assert face.box.x + face.box.width == pytest.approx(right_edge, abs=0.2 * whole.box.width)
    assert face.box.center[1] == pytest.approx(whole.box.center[1], abs=0.2 * whole.box.height)


@pytest.mark.parametrize("shape", [(1, 1), (12, 12), (5, 900), (900, 5), (39, 39)])
def test_tiny_and_narrow_images_hold_no_face(detector, shape):
    assert detector.detect(np.full((*shape, 3), 128, np.uint8)) == []


def test_noise_holds_no_face(detector, rng):
    assert detector.detect(rng.integers(0, 256, (480, 640, 3), np.uint8)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"min_face_px": 5.0},
        {"min_face_px": math.nan},
        {"scale_factor": 1.0},
        {"thresholds": (0.6, 0.7, 1.5)},
        {"border": -0.1},
        {"threads": 0},
        {"backend": "cuda"},
        {"execution_provider": "gpu"},
    ],
)
def test_absurd_settings_are_refused_by_name(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        MtcnnConfig(**change)


def test_unknown_detectors_are_refused():
    with pytest.raises(ValueError, match="yolo99"):
        create_detector("yolo99")


def test_missing_deepface_is_said_with_the_remedy():
    try:
        import deepface  # noqa: F401
    except ImportError:
        with pytest.raises(ModuleNotFoundError, match="pip install deepface"):
            create_detector("deepface:mtcnn")
    else:
        pytest.skip("DeepFace is installed: the error without it was not checked")


def test_suppression_keeps_the_better_of_two_and_all_apart():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [30, 30, 40, 40]], np.float32)
    scores = np.array([0.8, 0.9, 0.7], np.float32)
    assert non_maximum_suppression(boxes, scores, 0.5).tolist() == [1, 2]
    assert non_maximum_suppression(boxes, scores, 0.9).tolist() == [1, 0, 2]


def test_suppression_over_the_smaller_removes_a_box_inside_another():
    boxes = np.array([[0, 0, 100, 100], [10, 10, 30, 30]], np.float32)
    scores = np.array([0.9, 0.8], np.float32)
    assert non_maximum_suppression(boxes, scores, 0.7).tolist() == [0, 1]
    assert non_maximum_suppression(boxes, scores, 0.7, over="smaller").tolist() == [0]


def test_faces_of_the_photographs(detector, media):
    expected = {
        "astronaut.png": 1, "group_3.jpg": 4, "hri_user_angry.jpg": 1, "hri_user_happy.jpg": 1,
        "hri_user_surprised.jpg": 1, "multi_face.jpg": 5, "no_face_landscape.jpg": 0,
        "obama.jpg": 1, "obama2.jpg": 1, "obama_small.jpg": 1, "obama_partial_face.jpg": 1,
        "obama-720p.jpg": 1, "obama-1080p.jpg": 1, "single_face.jpg": 1, "two_people.jpg": 2,
        "dlib_faces/dogs.jpg": 0,
    }  # fmt: skip
    found = {}
    for name in expected:
        image = cv2.cvtColor(cv2.imread(str(media / name)), cv2.COLOR_BGR2RGB)
        found[name] = sum(face.confidence >= 0.9 for face in detector.detect(image))
    assert found == expected


def _same_faces(some, others):
    """Return whether two lists hold the same faces, whatever their order."""
    return len(some) == len(others) and all(
        any(
            face.box.iou(other.box) > 0.8
            and np.abs(face.landmarks - other.landmarks).max() < 0.05 * face.box.width
            and abs(face.confidence - other.confidence) < 0.05
            for other in others
        )
        for face in some
    )


def _certain(faces):
    return [face for face in faces if face.confidence >= 0.95]


@pytest.mark.parametrize(
    ("file", "load"),
    [
        ("mtcnn.safetensors", lambda folder: load_weights("onet", folder)),
        ("pnet.onnx", lambda folder: load_graph("pnet", folder)),
        (HASHES_FILE, lambda folder: load_graph("rnet", folder)),
    ],
)
def test_damaged_or_missing_weights_are_refused_by_name(file, load, repository_models, tmp_path):
    folder = tmp_path / "mtcnn"
    shutil.copytree(repository_models / "mtcnn", folder)
    load(folder)
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match=file):
        load(folder)
    (folder / file).unlink()
    with pytest.raises(ModelError, match=file):
        load(folder)


@needs_library
@pytest.mark.parametrize("turned", [0.0, 12.0])
@pytest.mark.parametrize("size", [(640, 480), (397, 301), (1280, 720)])
def test_both_backends_find_the_same_faces_in_parts_of_the_portrait(portrait, size, turned, rng):
    native, reference = (
        Mtcnn(MtcnnConfig(backend="native")),
        Mtcnn(MtcnnConfig(backend="onnxruntime")),
    )
    found = 0
    for _ in range(4):
        matrix = cv2.getRotationMatrix2D((320, 240), turned, rng.uniform(0.4, 1.5))
        matrix[:, 2] += rng.uniform(-60, 60, 2) + (np.array(size) - (640, 480)) / 2
        image = cv2.warpAffine(portrait, matrix, size, flags=cv2.INTER_AREA)
        faces = native.detect(image)
        assert _same_faces(_certain(faces), _certain(reference.detect(image)))
        found += len(faces)
    assert found >= 2


@needs_library
def test_both_backends_find_the_same_faces_in_the_photographs(media):
    native, reference = (
        Mtcnn(MtcnnConfig(backend="native")),
        Mtcnn(MtcnnConfig(backend="onnxruntime")),
    )
    found = 0
    for path in sorted(media.glob("*.[jp][pn]g")):
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        faces = _certain(native.detect(image))
        assert _same_faces(faces, _certain(reference.detect(image))), path.name
        found += len(faces)
    assert found >= 20


@needs_library
def test_every_instruction_set_computes_the_same(portrait):
    best = native_library.instruction_set()
    usable = INSTRUCTION_SETS[: INSTRUCTION_SETS.index(best) + 1]
    rows = [NativeCascade(name).detect(portrait, 30.0, 0.709, (0.6, 0.7, 0.7)) for name in usable]
    for other in rows[1:]:
        np.testing.assert_allclose(other, rows[0], atol=0.02)


@needs_library
def test_more_faces_than_there_is_room_for_are_all_returned(portrait):
    tile = cv2.resize(portrait[0:400, 120:520], (60, 60), interpolation=cv2.INTER_AREA)
    crowd = np.tile(tile, (12, 12, 1))
    config = MtcnnConfig(min_face_px=20.0, backend="native")
    assert len(_certain(Mtcnn(config).detect(crowd))) > native_cascade._CAPACITY


@needs_library
def test_image_with_padded_or_reversed_rows_is_read_right(portrait):
    native = Mtcnn(MtcnnConfig(backend="native"))
    padded = np.zeros((480, 700, 3), np.uint8)
    padded[:, :640] = portrait
    [face], [other] = native.detect(portrait), native.detect(padded[:, :640])
    assert face.box == other.box
    bgr = np.ascontiguousarray(portrait[:, :, ::-1])
    [other] = native.detect(bgr[:, :, ::-1])
    assert face.box == other.box


def test_face_is_refined_from_a_box_that_is_a_little_off(detector, portrait):
    [face] = detector.detect(portrait)
    box, size = face.box, face.box.width
    off = BoundingBox(box.x + 0.12 * size, box.y - 0.08 * size, 1.1 * size, 1.1 * box.height)
    [refined] = detector.refine(portrait, [off])
    assert refined.confidence > 0.95
    assert refined.box.iou(box) > 0.75 > off.iou(box)
    assert np.abs(refined.landmarks - face.landmarks).max() < 0.06 * size


def test_refined_faces_come_in_the_order_of_the_boxes_and_say_where_there_is_none(
    detector, portrait
):
    [face] = detector.detect(portrait)
    nowhere = BoundingBox(-900.0, 2000.0, 80.0, 80.0)
    corner = BoundingBox(0.0, 0.0, 60.0, 60.0)
    faces = detector.refine(portrait, [corner, face.box, nowhere])
    assert faces[1].box.iou(face.box) > 0.8
    assert faces[0].confidence < 0.7 and faces[2].confidence < 0.7
    assert detector.refine(portrait, []) == []
