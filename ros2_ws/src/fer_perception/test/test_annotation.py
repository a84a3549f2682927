# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from fer_perception.emotion_colors import EMOTION_COLORS, hex_color
from fer_perception.emotions import EMOTIONS, UNKNOWN
from fer_perception.face import BoundingBox, Face
from fer_perception.face_emotion import FaceEmotion
from fer_perception.images.annotation import annotate, place_labels

NO_LANDMARKS = np.full((5, 2), np.nan, np.float32)


def _seen(name, x, y=10.0, size=40.0, emotion="anger"):
    scores = np.zeros(7, np.float32)
    scores[EMOTIONS.index(emotion)] = 1.0
    return FaceEmotion(name, Face(BoundingBox(x, y, size, size), 0.99, NO_LANDMARKS), scores)


def _overlap(a, b):
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(0.0, width) * max(0.0, height)


def test_it_draws_into_a_copy_at_any_place_and_size(rng):
    for width, height in ((640, 480), (60, 40), (8, 8)):
        image = rng.integers(0, 256, (height, width, 3), np.uint8)
        before = image.copy()
        faces = [
            _seen(f"f{i}", x, size=30.0)
            for i, x in enumerate((-20.0, 0.0, width - 10.0, 5.0 * width))
        ]
        for shown in (faces, faces[:1]):
            drawn = annotate(image, shown)
            np.testing.assert_array_equal(image, before)
            assert drawn.shape == image.shape and (drawn != image).any()


def test_one_face_has_its_scores_as_bars():
    drawn = annotate(np.zeros((480, 640, 3), np.uint8), [_seen("f1", 10.0)])
    marked = (drawn[:, 60:] == EMOTION_COLORS["anger"]).all(axis=2)  # right of the box
    assert marked.any(axis=0).sum() > 50  # one long bar
    assert marked.any(axis=1).sum() < 15  # of one line


def test_several_faces_stay_visible():
    """Inside the boxes of a row of faces nothing is drawn."""
    image = np.zeros((480, 640, 3), np.uint8)
    places = [(20.0 + 125.0 * i, 180.0) for i in range(5)]
    drawn = annotate(image, [_seen(f"f000{i}", *place, 90.0) for i, place in enumerate(places)])
    for x, y in places:
        assert not drawn[int(y) + 4 : int(y) + 86, int(x) + 4 : int(x) + 86].any()
    assert (drawn == EMOTION_COLORS["anger"]).all(axis=2).sum() > 5 * 4 * 85


def test_labels_cover_no_face_and_no_label_where_there_is_room(rng):
    for _ in range(50):
        cells = rng.permutation(12)[: rng.integers(2, 7)]
        boxes = [
            BoundingBox(
                160.0 * (cell % 4) + rng.uniform(10, 50),
                160.0 * (cell // 4) + rng.uniform(30, 50),
                *rng.uniform(40, 90, 2),
            )
            for cell in cells
        ]
        places = place_labels(boxes, [(130, 18)] * len(boxes), (640, 480))
        for i, place in enumerate(places):
            assert place.x >= 0 and place.y >= 0
            assert place.x + place.width <= 640 and place.y + place.height <= 480
            assert sum(_overlap(place, box) for box in boxes) == 0.0
            assert sum(_overlap(place, other) for other in places[:i]) == 0.0


@pytest.mark.parametrize("ground", [(255, 255, 255), (245, 246, 248), (26, 32, 41), (13, 15, 20)])
def test_each_colour_has_a_contrast_of_three_on_both_themes(ground):
    assert set(EMOTION_COLORS) == {*EMOTIONS, UNKNOWN}
    assert hex_color("anger") == "#d64b3f" and hex_color("no class") == hex_color(UNKNOWN)
    for label, color in EMOTION_COLORS.items():
        light, dark = sorted(map(_luminance, (color, ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3.0, label


def _luminance(rgb):
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.array(rgb) / 255
    ]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
