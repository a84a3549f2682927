# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_perception.tracking.face_events import (
    EventConfig,
    EventKind,
    FaceEventDetector,
    SeenFace,
)

CONFIG = EventConfig(dwell_s=0.3, held_s=2.0, left_s=1.0)


def play(labels, period_s=0.1, detector=None, start_s=100.0):
    """Show one face, a label a frame, None for a frame without it; return the events."""
    detector = detector or FaceEventDetector(CONFIG)
    events = []
    for index, label in enumerate(labels):
        faces = [SeenFace("f0001", label, 0.8)] if label else []
        events += detector.update(faces, start_s + index * period_s)
    return events


def test_a_face_comes_smiles_and_goes():
    events = play(["neutral"] * 10 + ["happiness"] * 10 + [None] * 15)
    assert [(e.kind, e.emotion, e.previous_emotion) for e in events] == [
        (EventKind.FACE_APPEARED, "neutral", ""),
        (EventKind.EMOTION_CHANGED, "happiness", "neutral"),
        (EventKind.FACE_LEFT, "happiness", ""),
    ]
    assert events[-1].duration_s == pytest.approx(1.9)


def test_a_flicker_is_no_change():
    labels = ["neutral"] * 10 + ["anger"] * 2 + ["neutral"] * 5
    assert [e.kind for e in play(labels)] == [EventKind.FACE_APPEARED]


def test_a_face_of_a_moment_is_not_announced():
    assert play(["surprise", "surprise", None, *[None] * 20]) == []


def test_a_short_gap_is_no_leaving():
    events = play(["neutral"] * 5 + [None] * 8 + ["neutral"] * 5)
    assert [e.kind for e in events] == [EventKind.FACE_APPEARED]


def test_held_is_told_once_each_spell_with_its_duration():
    labels = ["happiness"] * 50 + ["neutral"] * 5 + ["happiness"] * 30
    held = [e for e in play(labels) if e.kind is EventKind.EMOTION_HELD]
    assert [e.emotion for e in held] == ["happiness", "happiness"]
    assert held[0].duration_s == pytest.approx(2.0)


def test_held_can_be_turned_off():
    detector = FaceEventDetector(EventConfig(held_s=0.0))
    assert [e.kind for e in play(["fear"] * 100, detector=detector)] == [EventKind.FACE_APPEARED]


def test_time_set_back_makes_all_faces_leave_first():
    detector = FaceEventDetector(CONFIG)
    play(["neutral"] * 10, detector=detector)
    events = play(["neutral"] * 10, detector=detector, start_s=5.0)
    assert [e.kind for e in events] == [EventKind.FACE_LEFT, EventKind.FACE_APPEARED]


def test_images_that_stop_make_all_faces_leave():
    detector = FaceEventDetector(CONFIG)
    play(["neutral"] * 10, detector=detector)
    assert [e.kind for e in detector.leave_all()] == [EventKind.FACE_LEFT]
    assert detector.leave_all() == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "a", "b", "ab"]),
            st.sampled_from(["neutral", "anger"]),
            st.floats(-3.0, 3.0),
        ),
        max_size=60,
    )
)
def test_every_face_appears_before_anything_else_and_leaves_last(frames):
    detector = FaceEventDetector(CONFIG)
    stamp_s, events = 0.0, []
    for ids, emotion, step_s in frames:
        stamp_s += step_s
        events += detector.update([SeenFace(i, emotion, 0.5) for i in ids], stamp_s)
    events += detector.leave_all()
    present = set()
    for event in events:
        assert (event.face_id in present) != (event.kind is EventKind.FACE_APPEARED)
        assert event.duration_s >= 0.0
        if event.kind is EventKind.FACE_APPEARED:
            present.add(event.face_id)
        if event.kind is EventKind.FACE_LEFT:
            present.remove(event.face_id)
        if event.kind is EventKind.EMOTION_CHANGED:
            assert event.emotion != event.previous_emotion
    assert not present
