# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_perception.detection.mtcnn import Mtcnn
from fer_perception.face import BoundingBox, Face
from fer_perception.images.region import RegionOfInterest
from fer_perception.images.rotation import ROTATIONS_DEG, Rotation

degrees = st.sampled_from(ROTATIONS_DEG)
sides = st.integers(1, 40)
coordinates = st.floats(-50.0, 80.0)


@given(degrees, sides, sides, st.randoms())
def test_box_of_pixels_holds_the_same_pixels_after_the_turn(angle, width, height, random):
    image = np.arange(width * height * 3, dtype=np.uint32).reshape(height, width, 3)
    image = (image % 251).astype(np.uint8)
    left, top = random.randrange(width), random.randrange(height)
    right, bottom = random.randint(left + 1, width), random.randint(top + 1, height)
    rotation = Rotation(angle)
    turned = rotation.image(image)
    assert (turned.shape[1], turned.shape[0]) == rotation.size(width, height)
    box = rotation.box(BoundingBox(left, top, right - left, bottom - top), width, height)
    x, y = int(box.x), int(box.y)
    part = turned[y : y + int(box.height), x : x + int(box.width)]
    np.testing.assert_array_equal(part, rotation.image(image[top:bottom, left:right]))


@given(
    degrees, sides, sides, st.lists(st.tuples(coordinates, coordinates), min_size=5, max_size=5)
)
def test_a_face_that_is_turned_is_turned_back(angle, width, height, points):
    landmarks = np.array(points, np.float32)
    landmarks[4] = np.nan  # not known
    (x, y), (w, h) = points[0], np.abs(points[1])
    face = Face(BoundingBox(x, y, float(w), float(h)), 0.9, landmarks)
    rotation = Rotation(angle)
    back = rotation.to_original(rotation.face(face, width, height), width, height)
    np.testing.assert_allclose(back.landmarks, face.landmarks, atol=1e-4)
    for name in ("x", "y", "width", "height"):
        assert getattr(back.box, name) == pytest.approx(getattr(face.box, name), abs=1e-4)
    assert back.confidence == 0.9


@given(degrees, degrees, sides, sides)
def test_turns_add_up(first, second, width, height):
    points = np.random.default_rng(0).uniform(-10, 50, (6, 2))
    a, b = Rotation(first), Rotation(second)
    both = Rotation((first + second) % 360)
    twice = b.points(a.points(points, width, height), *a.size(width, height))
    np.testing.assert_allclose(twice, both.points(points, width, height), atol=1e-9)


@given(degrees, st.tuples(*[st.integers(0, 20)] * 4))
def test_a_region_covers_the_same_part_after_the_turn(angle, edges):
    left, right = sorted(edges[:2])
    top, bottom = sorted(edges[2:])
    region = RegionOfInterest(left / 22, top / 22, (right + 1) / 22, (bottom + 1) / 22)
    image = np.arange(220 * 440 * 3, dtype=np.uint32).reshape(220, 440, 3).astype(np.uint8)
    rotation = Rotation(angle)
    part, _, _ = region.part(image)
    turned, _, _ = rotation.region(region).part(rotation.image(image))
    size = rotation.size(part.shape[1], part.shape[0])
    # Shares are rounded to pixels on either side.
    assert abs(turned.shape[1] - size[0]) <= 1 and abs(turned.shape[0] - size[1]) <= 1


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_face_of_a_turned_camera_is_found_where_the_image_has_it(portrait, angle):
    detector, rotation = Mtcnn(), Rotation(angle)
    [expected] = detector.detect(portrait)
    height, width = portrait.shape[:2]
    mounted = rotation.inverse.image(portrait)  # what the camera gives
    [found] = detector.detect(np.ascontiguousarray(rotation.image(mounted)))
    face = rotation.to_original(found, mounted.shape[1], mounted.shape[0])
    where = rotation.inverse.face(expected, width, height)
    assert face.box.iou(where.box) > 0.99
    np.testing.assert_allclose(face.landmarks, where.landmarks, atol=0.01)


@pytest.mark.parametrize("angle", [45, -90, 360])
def test_other_angles_are_refused(angle):
    with pytest.raises(ValueError, match=f"rotation is {angle} degrees"):
        Rotation(angle)
