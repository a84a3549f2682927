# SPDX-License-Identifier: Apache-2.0
"""The quality falls with each damage, names it, and only lowers confidence."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_perception.face import BoundingBox, Face
from fer_perception.face_emotion import FaceQuality, Fault
from fer_perception.recognition.alignment import TEMPLATE, align_faces
from fer_perception.recognition.quality import assess, trusted

RNG = np.random.default_rng(0)
# Edges of the sizes that faces have.
PATTERN = cv2.resize(RNG.integers(0, 256, (12, 12), np.uint8), (96, 96))


def _quality(image, landmarks):
    """The quality of a face of ``image``, grey, at these landmarks."""
    box = BoundingBox(0.0, 0.0, image.shape[1], image.shape[0])
    face = Face(box, 1.0, np.asarray(landmarks, np.float32))
    rgb = np.ascontiguousarray(np.repeat(image[:, :, None], 3, axis=2))
    [crop] = align_faces(rgb, [face])
    return assess(face, crop, (image.shape[1], image.shape[0]))


def _small(level):
    side = round(96 / level)
    return _quality(cv2.resize(PATTERN, (side, side)), TEMPLATE * side / 48.0)


def _cut(level):
    left = round(96 * min(0.1 * (level - 1.0), 0.9))
    return _quality(PATTERN[:, left:], 2.0 * TEMPLATE - [left, 0.0])


def _turned(level):
    landmarks = 2.0 * TEMPLATE
    landmarks[2, 0] += 6.0 * (level - 1.0)  # the eyes are 36 px apart
    return _quality(PATTERN, landmarks)


def _blurred(level):
    return _quality(cv2.GaussianBlur(PATTERN, (0, 0), level), 2.0 * TEMPLATE)


def _dark(level):
    return _quality((PATTERN / 3.0**level).astype(np.uint8), 2.0 * TEMPLATE)


def _noisy(level):
    noise = np.random.default_rng(0).normal(0.0, 12.0 * (level - 1.0), (48, 48))
    image = np.clip(cv2.resize(PATTERN, (48, 48)) + noise, 0, 255)
    return _quality(image.astype(np.uint8), TEMPLATE)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (_small, Fault.SMALL),
        (_cut, Fault.CUT),
        (_turned, Fault.TURNED),
        (_blurred, Fault.BLURRED),
        (_dark, Fault.DARK),
        (_noisy, Fault.DARK),
    ],
)
def test_each_damage_lowers_the_quality_and_is_named(damage, fault):
    levels = [damage(level) for level in (1.0, 2.0, 4.0, 8.0)]
    values = [quality.value for quality in levels]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.95 and values[-1] < 0.9
    trusts = [quality.trust for quality in levels]
    assert trusts == sorted(trusts, reverse=True) and trusts[-1] < 1.0
    assert levels[0].faults == Fault(0) and fault in levels[-1].faults


def test_a_face_in_full_view_is_of_full_quality_whatever_its_turn_in_the_image():
    for angle in (0.0, 40.0, 90.0, 180.0):
        matrix = cv2.getRotationMatrix2D((47.5, 47.5), angle, 1.0)
        matrix[:, 2] += 48.0
        image = cv2.warpAffine(PATTERN, matrix, (192, 192), borderMode=cv2.BORDER_REFLECT)
        landmarks = (2.0 * TEMPLATE) @ matrix[:, :2].T + matrix[:, 2]
        assert _quality(image, landmarks).faults == Fault(0), angle


def test_yaw_is_not_judged_without_landmarks():
    assert _quality(PATTERN, np.full((5, 2), np.nan)).faults == Fault(0)


@given(
    box=st.tuples(*[st.floats(-1e4, 1e4)] * 2, *[st.floats(0.0, 1e4)] * 2),
    landmarks=st.lists(st.floats(-1e4, 1e4) | st.just(math.nan), min_size=10, max_size=10).map(
        lambda values: np.array(values, np.float32).reshape(5, 2)
    ),
    level=st.integers(0, 255),
)
def test_any_face_has_a_quality(box, landmarks, level):
    face = Face(BoundingBox(*box), 1.0, landmarks)
    quality = assess(face, np.full((48, 48), level, np.uint8), (64, 48))
    assert 0.0 <= quality.value <= 1.0 and 0.0 <= quality.trust <= 1.0
    assert Fault.DARK in quality.faults


@given(
    raw=st.lists(st.floats(0.0, 1.0, width=32), min_size=7, max_size=7).filter(
        lambda r: sum(r) > 0.1
    ),
    trusts=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
)
def test_poorer_faces_are_less_sure_of_the_same_class(raw, trusts):
    scores = (np.array(raw) / sum(raw)).astype(np.float32)
    poor, good = (trusted(scores, FaceQuality(trust=t)) for t in sorted(trusts))
    for mixed in (poor, good):
        assert mixed.dtype == np.float32 and mixed.sum() == pytest.approx(1.0, abs=1e-5)
        assert mixed[scores.argmax()] == mixed.max()
    assert poor.max() <= good.max() + 1e-6 and good.max() <= scores.max() + 1e-6


def test_scores_of_good_faces_and_of_those_not_assessed_stay():
    scores = np.array([0.5, 0.3, 0.2, 0, 0, 0, 0], np.float32)
    assert np.array_equal(trusted(scores, FaceQuality()), scores)
    np.testing.assert_allclose(trusted(scores, FaceQuality(trust=0.0)), 1 / 7, atol=1e-6)
