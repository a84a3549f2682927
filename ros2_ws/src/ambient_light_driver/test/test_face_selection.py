# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient_light_driver.selection.face_presence import GRACE_S, MAX_KNOWN_FACES, FacePresence
from ambient_light_driver.selection.face_selection import SELECTIONS, select_scores
from ambient_light_driver.selection.observation import FaceObservation

HAPPY = (0.1, 0.8, 0.1)
SAD = (0.1, 0.2, 0.7)
SADDER = (0.0, 0.1, 0.9)


def face(face_id, scores, area_px=100.0, center_distance=0.5):
    return FaceObservation(face_id, scores, area_px, center_distance)


FACES = (
    face("big", HAPPY, area_px=900.0),
    face("middle", SAD, center_distance=0.1),
    face("small", SADDER, area_px=50.0, center_distance=0.9),
)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("largest", HAPPY),
        ("center", SAD),
        ("mean", (0.2 / 3, 1.1 / 3, 1.7 / 3)),
        ("majority", (0.05, 0.15, 0.8)),
    ],
)
def test_each_rule_picks_its_faces(selection, expected):
    assert select_scores(FACES, selection) == pytest.approx(expected)


def test_majority_breaks_a_tie_by_the_stronger_expression():
    assert select_scores((FACES[0], FACES[2]), "majority") == SADDER


def test_a_given_face_is_followed_and_no_other():
    assert select_scores(FACES, "face_id", "small") == SADDER
    assert select_scores(FACES, "face_id", "gone") is None


@pytest.mark.parametrize("selection", SELECTIONS)
def test_nobody_gives_nothing(selection):
    assert select_scores((), selection) is None


def test_a_face_counts_after_its_dwell_even_without_another_message():
    presence = FacePresence()
    presence.observe([face("a", HAPPY)], 10.0)
    assert presence.counted(0.3, 10.29) == ()
    assert [f.face_id for f in presence.counted(0.3, 10.3)] == ["a"]


def test_a_short_miss_keeps_the_time_in_view_and_a_long_one_does_not():
    presence = FacePresence()
    presence.observe([face("a", HAPPY)], 0.0)
    presence.observe([], 0.4)
    presence.observe([face("a", HAPPY)], 0.45)
    assert presence.counted(0.3, 0.45)
    presence.observe([], 0.5 + GRACE_S)
    presence.observe([face("a", HAPPY)], 0.5 + GRACE_S)
    assert not presence.counted(0.3, 0.5 + GRACE_S)


def test_a_clock_set_back_does_not_lock_faces_out():
    presence = FacePresence()
    presence.observe([face("a", HAPPY)], 1000.0)
    presence.observe([face("a", HAPPY)], 5.0)
    assert presence.counted(0.3, 5.4)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5000)), max_size=200))
def test_ever_new_faces_do_not_take_ever_more_memory(steps):
    presence = FacePresence()
    now_s = 0.0
    for step_s, first in steps:
        now_s += 0.001 * step_s
        presence.observe([face(str(first + i), HAPPY) for i in range(64)], now_s)
        assert len(presence) <= MAX_KNOWN_FACES + 64
