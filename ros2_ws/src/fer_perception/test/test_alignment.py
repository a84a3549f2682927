# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_perception.detection.mtcnn import Mtcnn
from fer_perception.face import BoundingBox, Face
from fer_perception.images.pyramid import ImagePyramid
from fer_perception.recognition import alignment
from fer_perception.recognition.alignment import (
    CROP_SIZE_PX,
    align_faces,
    crop_to_image,
    similarity_transform,
)

NO_LANDMARKS = np.full((5, 2), np.nan, np.float32)


@given(
    angle=st.floats(-3.1, 3.1),
    scale=st.floats(0.1, 10.0),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_similarity_transform_recovers_rotation_scale_and_shift(angle, scale, shift):
    source = np.array([[0.0, 0.0], [10.0, 1.0], [4.0, 7.0], [2.0, 12.0]])
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    expected = np.array([[c, -s, shift[0]], [s, c, shift[1]]])
    target = source @ expected[:, :2].T + expected[:, 2]
    np.testing.assert_allclose(similarity_transform(source, target), expected, atol=1e-6)


def test_similarity_transform_refuses_a_single_place():
    with pytest.raises(ValueError, match="all the same"):
        similarity_transform(np.ones((5, 2)), np.zeros((5, 2)))


def _correlation(a, b):
    return np.corrcoef(a.ravel().astype(float), b.ravel().astype(float))[0, 1]


@pytest.mark.parametrize("angle", [-35, 20, 60])
def test_rotated_faces_come_out_upright_and_alike(portrait, angle):
    detector = Mtcnn()
    [face] = detector.detect(portrait)
    [upright] = align_faces(portrait, [face])
    matrix = cv2.getRotationMatrix2D(face.box.center, angle, 0.9)
    rotated = cv2.warpAffine(portrait, matrix, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    turned = Face(face.box, 1.0, (face.landmarks @ matrix[:, :2].T + matrix[:, 2]).astype("f4"))
    [crop] = align_faces(rotated, [turned])
    assert _correlation(upright, crop) > 0.98


def test_eyes_and_mouth_stand_where_fer2013_has_them(portrait):
    [face] = Mtcnn().detect(portrait)
    dots = portrait.copy()
    for x, y in face.landmarks:
        cv2.circle(dots, (round(float(x)), round(float(y))), 3, (255, 255, 255), -1)
    [plain], [marked] = align_faces(portrait, [face]), align_faces(dots, [face])
    rows, columns = np.nonzero(cv2.absdiff(plain, marked) > 25)
    assert 10 < columns.min() < 20 and 28 < columns.max() < 38  # eyes at about 15 and 33
    assert 14 < rows.min() < 22 and 33 < rows.max() < 41  # eyes at about 18, mouth at 37


def test_without_landmarks_the_box_gives_nearly_the_same_framing(portrait):
    [face] = Mtcnn().detect(portrait)
    [aligned] = align_faces(portrait, [face])
    [boxed] = align_faces(portrait, [Face(face.box, 1.0, NO_LANDMARKS)])
    assert _correlation(aligned, boxed) > 0.7


def test_eyes_alone_suffice_to_turn_a_face_upright(portrait):
    [face] = Mtcnn().detect(portrait)
    eyes_only = face.landmarks.copy()
    eyes_only[2:] = np.nan
    [full], [eyes] = (align_faces(portrait, [f]) for f in (face, Face(face.box, 1.0, eyes_only)))
    assert _correlation(full, eyes) > 0.85


def test_no_faces_give_no_crops_and_any_box_gives_one(portrait):
    assert align_faces(portrait, []).shape == (0, CROP_SIZE_PX, CROP_SIZE_PX)
    outside = Face(BoundingBox(5000, 5000, 10, 10), 1.0, NO_LANDMARKS)
    empty = Face(BoundingBox(5, 5, 0, 0), 1.0, NO_LANDMARKS)
    same_place = Face(BoundingBox(5, 5, 9, 9), 1.0, np.ones((5, 2), np.float32))
    crops = align_faces(portrait, [outside, empty, same_place])
    assert crops.shape == (3, CROP_SIZE_PX, CROP_SIZE_PX) and not crops[0].any()


@given(
    x=st.floats(-300.0, 1200.0),
    y=st.floats(-300.0, 900.0),
    size=st.floats(20.0, 700.0),
    angle=st.floats(-0.7, 0.7),
)
def test_crop_does_not_depend_on_what_lies_far_from_the_face(x, y, size, angle):
    rng = np.random.default_rng(5)
    image = cv2.resize(rng.integers(0, 256, (72, 90, 3), np.uint8), (901, 717))
    template = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    c, s = np.cos(angle), np.sin(angle)
    landmarks = ((template - 0.5) @ np.array([[c, s], [-s, c]]) * size + [x, y]).astype("f4")
    face = Face(BoundingBox(x - size / 2, y - size / 2, size, size), 1.0, landmarks)
    [crop] = align_faces(image, [face])
    grey = ImagePyramid(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    expected = grey.warped(crop_to_image(face), CROP_SIZE_PX)
    whole = ImagePyramid(np.full(image.shape[:2], 255, np.uint8))
    inside = whole.warped(crop_to_image(face), CROP_SIZE_PX) == 255
    # Where the image ends at an odd column or row, a halving of a part may keep it.
    difference = np.abs(crop.astype(int) - expected)[inside]
    assert difference.max(initial=0) <= 1 or _near_edge(face, image)


def _near_edge(face, image):
    height, width = image.shape[:2]
    right, bottom = face.box.x + 1.5 * face.box.width, face.box.y + 1.5 * face.box.height
    return right > width - 70 or bottom > height - 70


def _face_at(x, y, size, angle=0.0):
    """A face whose crop has its middle at (x, y) and ``size`` pixels a side."""
    template = alignment.TEMPLATE - (CROP_SIZE_PX - 1) / 2.0
    c, s = np.cos(angle), np.sin(angle)
    landmarks = template * (size / CROP_SIZE_PX) @ np.array([[c, s], [-s, c]]) + [x, y]
    box = BoundingBox(x - size / 2, y - size / 2, size, size)
    return Face(box, 1.0, landmarks.astype("f4"))


@pytest.mark.parametrize("angle", [0.0, 0.5])
@pytest.mark.parametrize(("x", "y"), [(30, 200), (370, 200), (200, 10), (200, 395), (5, 5)])
def test_what_lies_outside_the_image_has_the_mean_of_the_part_inside(x, y, angle, rng):
    image = cv2.resize(rng.integers(60, 256, (20, 20, 3), np.uint8), (400, 400))
    face = _face_at(x, y, 150.0, angle)
    [crop] = align_faces(image, [face])
    whole = ImagePyramid(np.full((400, 400), 255, np.uint8))
    share = whole.warped(crop_to_image(face), CROP_SIZE_PX)
    outside, inside = crop[share == 0], crop[share == 255]
    assert outside.size > 100 and np.ptp(outside) == 0
    assert int(outside[0]) == pytest.approx(inside.mean(), abs=3)
    # So the normalisation of the network sees the face as if nothing were cut off.
    assert crop.mean() == pytest.approx(inside.mean(), abs=3)


@given(
    x=st.floats(150.0, 450.0),
    y=st.floats(150.0, 350.0),
    size=st.floats(20.0, 190.0),
    angle=st.floats(-3.1, 3.1),
)
def test_faces_inside_the_image_are_cut_out_without_any_filling(x, y, size, angle):
    image = cv2.resize(
        np.random.default_rng(3).integers(0, 256, (50, 60, 3), np.uint8), (600, 500)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "_with_mean_outside", None)  # a call would fail
        [crop] = align_faces(image, [_face_at(x, y, size, angle)])
    assert crop.any()


def test_filling_does_not_brighten_a_face_that_touches_the_edge(portrait):
    [face] = Mtcnn().detect(portrait)
    left = int(face.box.x + 0.1 * face.box.width) // 8 * 8  # so that halvings fall together
    cut = np.ascontiguousarray(portrait[:, left:])
    [whole], [part] = align_faces(portrait, [face]), align_faces(cut, [face.moved(-left, 0)])
    right = slice(CROP_SIZE_PX // 2, None)
    assert np.abs(part[:, right].astype(int) - whole[:, right]).max() <= 2
