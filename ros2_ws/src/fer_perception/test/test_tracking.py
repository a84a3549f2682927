# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_perception.face import BoundingBox, Face
from fer_perception.tracking.tracker import FaceTracker, TrackerConfig


def face(x, y, size=50.0):
    return Face(BoundingBox(x, y, size, size), 1.0, np.full((5, 2), np.nan, np.float32))


def test_faces_keep_their_ids_whatever_their_order():
    tracker = FaceTracker()
    first = tracker.update([face(0, 0), face(200, 0)], 0.0)
    second = tracker.update([face(203, 2), face(4, 1)], 0.033)
    assert second == [first[1], first[0]]
    assert len(set(first)) == 2 and all(i[0].isalpha() for i in first)


def test_crossing_faces_are_told_apart_by_their_motion():
    tracker = FaceTracker()
    rng = np.random.default_rng(1)
    for step in range(41):
        t = step / 30
        jitter = rng.normal(0, 0.5, 4)
        left_to_right = face(10 * step + jitter[0], 0 + jitter[1])
        right_to_left = face(400 - 10 * step + jitter[2], 20 + jitter[3])
        ids = tracker.update([left_to_right, right_to_left], t)
        if step == 0:
            start = ids
    assert ids == start


def test_a_face_that_is_hidden_for_a_moment_keeps_its_id_and_a_long_lost_one_does_not():
    tracker = FaceTracker(TrackerConfig(max_lost_s=1.0))
    [first] = tracker.update([face(0, 0)], 0.0)
    assert tracker.update([], 0.5) == []
    assert tracker.update([face(2, 0)], 0.9) == [first]
    tracker.update([], 2.0)
    assert tracker.update([face(2, 0)], 2.1) != [first]


def test_a_moving_face_is_expected_where_it_will_be():
    tracker = FaceTracker()
    ids = {tracker.update([face(8 * i, 0)], i / 30)[0] for i in range(10)}
    # Hidden for a third of a second: by then it is more than its own width away.
    ids |= set(tracker.update([face(8 * 19, 0)], 19 / 30))
    assert len(ids) == 1


def test_boxes_of_very_different_size_or_place_are_different_faces():
    tracker = FaceTracker()
    [first] = tracker.update([face(0, 0, 50)], 0.0)
    assert tracker.update([face(0, 0, 150)], 0.03) != [first]
    tracker.reset()
    [first] = tracker.update([face(0, 0, 50)], 1.0)
    assert tracker.update([face(300, 0, 50)], 1.03) != [first]


def test_ids_are_not_used_again_after_a_reset():
    tracker = FaceTracker()
    before = tracker.update([face(0, 0)], 5.0)
    tracker.reset()
    assert tracker.face_ids == frozenset()
    assert tracker.update([face(0, 0)], 0.0) != before


@pytest.mark.parametrize(
    "change",
    [{"min_iou": 1.5}, {"max_distance": -1.0}, {"max_size_ratio": 0.5}, {"max_lost_s": -1.0}],
)
def test_absurd_settings_are_refused_by_name(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        TrackerConfig(**change)


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 3.0),
            st.lists(
                st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.floats(0.0, 1e3)),
                max_size=5,
            ),
        ),
        max_size=8,
    )
)
def test_every_face_of_a_frame_gets_an_id_of_its_own(frames):
    tracker, now = FaceTracker(), 0.0
    for dt, boxes in frames:
        now += dt
        ids = tracker.update([face(*box) for box in boxes], now)
        assert len(ids) == len(boxes) == len(set(ids))
        assert set(ids) <= tracker.face_ids


def test_uneven_frames_of_a_face_that_sways_give_one_id(rng):
    """Frames close to each other measure wild velocities, long gaps then use them."""
    tracker = FaceTracker()
    ids, stamp_s = set(), 0.0
    for _ in range(400):
        stamp_s += rng.choice([0.004, 0.033, 0.066, 0.3, 0.6])
        x = 200 + 60 * np.sin(stamp_s / 1.5) + rng.normal(0, 2)
        y = 100 + 30 * np.cos(stamp_s / 2.0) + rng.normal(0, 2)
        ids.update(tracker.update([_face_at(x, y)], stamp_s))
    assert ids == {"f0001"}


def test_a_lost_track_does_not_take_a_face_from_the_one_that_follows_it():
    tracker = FaceTracker()
    first, second = tracker.update([_face_at(0, 0), _face_at(90, 0)], 0.0)
    for step in range(1, 8):
        # The second face stands where the first one, now covered, would be expected.
        [seen] = tracker.update([_face_at(90 - 12 * step, 0)], 0.1 * step)
        assert seen == second != first


def _face_at(x, y):
    return Face(BoundingBox(x, y, 100.0, 130.0), 0.99, np.zeros((5, 2), np.float32))
