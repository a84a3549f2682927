# SPDX-License-Identifier: Apache-2.0
"""Who is there and since when, from streams as they are and as they break."""

from dataclasses import replace

import pytest

from fer_client.face import Condition, Face
from fer_client.people import People, PeopleConfig
from fer_client.waiting import Reason, WaitTimeout
from fer_perception.face import BoundingBox
from fer_perception.tracking.face_events import EventKind

PERIOD_S = 0.1


class Stream:
    """A stream of images with faces, and the clocks that go with it."""

    def __init__(self):
        self.steady_s = 100.0
        self.stamp_s = 5000.0
        self.calls = []
        self.reports = []
        self.people = People(
            "/fer_perception/emotions",
            PeopleConfig(),
            steady_s=lambda: self.steady_s,
            world_s=lambda: self.steady_s,
            report=self.reports.append,
        )
        for kind in (EventKind.FACE_APPEARED, EventKind.FACE_LEFT):
            self.people.call(kind, lambda f, k=kind: self.calls.append((k.value[5:], f.face_id)))
        self.people.call(
            EventKind.EMOTION_CHANGED,
            lambda f, previous: self.calls.append((f"{previous} to {f.emotion}", f.face_id)),
        )

    def pass_by(self, seconds, stamps=True):
        for _ in range(round(seconds / PERIOD_S)):
            self.steady_s += PERIOD_S
            self.stamp_s += PERIOD_S if stamps else 0.0
            self.people.look()

    def show(self, *faces, seconds=PERIOD_S):
        for _ in range(round(seconds / PERIOD_S)):
            self.steady_s += PERIOD_S
            self.stamp_s += PERIOD_S
            self.people.update(faces, self.stamp_s)
            self.people.look()


@pytest.fixture
def stream():
    return Stream()


def face(face_id="f0001", emotion="neutral", confidence=0.9, size=100.0):
    return Face(face_id, emotion, confidence, box=BoundingBox(0.0, 0.0, size, size))


SMILE = face(emotion="happiness")


def test_nothing_running_is_not_nobody(stream):
    assert not stream.people.is_running
    stream.show(seconds=0.5)
    assert stream.people.is_running and stream.people.faces == ()
    stream.pass_by(2.5)
    assert not stream.people.is_running


def test_a_face_appears_changes_and_leaves_once(stream):
    stream.show(face(), seconds=1.0)
    stream.show(SMILE, seconds=1.0)
    stream.show(seconds=2.0)
    assert stream.calls == [
        ("appeared", "f0001"),
        ("neutral to happiness", "f0001"),
        ("left", "f0001"),
    ]


def test_durations_follow_the_stamps(stream):
    stream.show(face(), seconds=1.0)
    stream.show(SMILE, seconds=2.1)
    [seen] = stream.people.faces
    assert seen.held_s == pytest.approx(2.0)
    assert seen.seen_s == pytest.approx(3.0)


def test_a_face_that_is_missed_for_a_moment_is_still_there(stream):
    stream.show(face(), seconds=1.0)
    stream.show(seconds=0.5)
    [seen] = stream.people.faces
    assert seen.unseen_s == pytest.approx(0.5)
    stream.show(seconds=1.0)
    assert stream.people.faces == ()


def test_the_largest_face_comes_first(stream):
    stream.show(face("f0001", size=50.0), face("f0002", size=90.0))
    assert [seen.face_id for seen in stream.people.faces] == ["f0002", "f0001"]


def test_one_misread_image_does_not_end_what_is_held(stream):
    wait = stream.people.expect(Condition(("happiness",), held_s=1.0), 10.0)
    stream.show(SMILE, seconds=0.6)
    stream.show(face(emotion="surprise"), seconds=0.2)
    stream.show(SMILE, seconds=0.5)
    assert wait.result().emotion == "happiness"


def test_what_is_shown_with_a_long_break_is_not_held(stream):
    wait = stream.people.expect(Condition(("happiness",), held_s=1.0), 10.0)
    for _ in range(3):
        stream.show(SMILE, seconds=0.8)
        stream.show(face(), seconds=0.6)
    assert not wait.done()


def test_a_gap_in_the_stream_holds_nothing(stream):
    """No image says what was shown meanwhile."""
    wait = stream.people.expect(Condition(("happiness",), held_s=1.0), 10.0)
    stream.show(SMILE, seconds=0.3)
    stream.stamp_s += 3.0
    stream.show(SMILE, seconds=0.3)
    assert not wait.done()


def test_a_wait_knows_what_was_shown_before_it(stream):
    stream.show(SMILE, seconds=2.1)
    wait = stream.people.expect(Condition(("happiness", "surprise"), 2.0, 0.5), 10.0)
    assert wait.result().held_s == pytest.approx(2.0)


def test_what_two_people_show_in_turn_is_held_by_neither(stream):
    wait = stream.people.expect(Condition(("happiness",), held_s=1.0), 10.0)
    for _ in range(3):
        stream.show(SMILE, face("f0002"), seconds=0.6)
        stream.show(face(), replace(SMILE, face_id="f0002"), seconds=0.6)
    assert not wait.done()


def test_low_confidence_does_not_count(stream):
    wait = stream.people.expect(Condition(("happiness",), min_confidence=0.95), 10.0)
    stream.show(SMILE, seconds=1.0)
    assert not wait.done()
    stream.show(replace(SMILE, confidence=0.96))
    assert wait.done()


def timeout_of(wait):
    with pytest.raises(WaitTimeout) as caught:
        wait.result()
    return caught.value.reason, str(caught.value)


def test_a_timeout_says_what_was_awaited_and_seen(stream):
    wait = stream.people.expect(Condition(("happiness",), 1.0, 0.8), 3.0)
    stream.show(SMILE, seconds=0.5)
    stream.show(face(emotion="anger", confidence=0.7), seconds=2.6)
    reason, text = timeout_of(wait)
    assert reason is Reason.NOT_SHOWN
    assert text == (
        "waited 3 s for happiness with a confidence of at least 0.8 held for 1 s: seen were "
        "f0001 (anger 70% at last, shown for 0.4 s at most)"
    )


def test_a_timeout_tells_nobody_from_nothing(stream):
    wait = stream.people.expect(Condition(), 1.0)
    stream.pass_by(1.1)
    reason, text = timeout_of(wait)
    assert reason is Reason.NOTHING_RUNNING and "no message on /fer_perception/emotions" in text

    wait = stream.people.expect(Condition(), 1.0)
    stream.show(seconds=1.1)
    reason, text = timeout_of(wait)
    assert reason is Reason.NOBODY and "nobody was there in 1" in text

    wait = stream.people.expect(Condition(("fear",)), 4.0)
    stream.show(SMILE, seconds=0.5)
    stream.pass_by(4.0)
    reason, text = timeout_of(wait)
    assert reason is Reason.NOTHING_RUNNING
    assert "have stopped; seen were f0001 (happiness" in text


def test_silence_lets_all_leave(stream):
    stream.show(face(), seconds=1.0)
    stream.pass_by(2.5, stamps=False)
    assert stream.calls == [("appeared", "f0001"), ("left", "f0001")]
    assert stream.people.faces == ()
    stream.show(face(), seconds=1.0)
    assert stream.calls[2:] == [("appeared", "f0001")]


def test_an_id_given_again_is_another_face(stream):
    wait = stream.people.expect(Condition(("happiness",), held_s=1.0), 10.0)
    stream.show(SMILE, seconds=0.8)
    stream.people.restart()
    stream.show(SMILE, seconds=0.8)
    assert not wait.done()
    assert stream.calls == [("appeared", "f0001"), ("left", "f0001"), ("appeared", "f0001")]
    assert stream.people.faces[0].seen_s == pytest.approx(0.7)


@pytest.mark.parametrize("step_s", [-60.0, -3600.0])
def test_time_set_back_begins_anew(stream, step_s):
    """As by a bag that is played in a loop."""
    stream.show(SMILE, seconds=1.0)
    stream.stamp_s += step_s
    stream.show(SMILE, seconds=1.0)
    assert stream.calls == [("appeared", "f0001"), ("left", "f0001"), ("appeared", "f0001")]
    assert stream.people.faces[0].held_s == pytest.approx(0.9)


def test_without_stamps_the_time_of_receipt_counts(stream):
    stream.stamp_s = 0.0
    for _ in range(20):
        stream.steady_s += PERIOD_S
        stream.people.update([SMILE], 0.0)
    assert stream.people.faces[0].held_s == pytest.approx(1.9)


def test_a_watch_reports_each_hold_once(stream):
    held = []
    watch = stream.people.watch(Condition(("happiness",), held_s=0.5), held.append)
    stream.show(SMILE, seconds=1.0)
    stream.show(face(), seconds=0.2)
    stream.show(SMILE, seconds=1.0)
    assert len(held) == 1 and watch.face is not None
    stream.show(face(), seconds=0.6)
    assert watch.face is None
    stream.show(SMILE, seconds=1.0)
    assert len(held) == 2
    stream.pass_by(2.5)
    assert watch.face is None


def test_a_callback_that_fails_does_not_keep_others_from_theirs(stream):
    def fail(face):
        raise RuntimeError("spilt")

    stream.people.watch(Condition(), fail)
    wait = stream.people.expect(Condition(), 10.0)
    stream.show(face())
    assert wait.done()
    assert "spilt" in stream.reports[0] and "Traceback" in stream.reports[0]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ({"expressions": ("hapiness",)}, "neutral, happiness, .* got 'hapiness'"),
        ({"held_s": -1.0}, "held_s: .* got -1"),
        ({"held_s": float("nan")}, "held_s: .* got nan"),
        ({"min_confidence": 80.0}, "min_confidence: .* got 80"),
    ],
)
def test_a_condition_that_cannot_be_is_refused(words, named):
    with pytest.raises(ValueError, match=named):
        Condition(**words)


@pytest.mark.parametrize("timeout_s", [0.0, -1.0, float("inf"), float("nan")])
def test_a_wait_without_an_end_is_refused(stream, timeout_s):
    with pytest.raises(ValueError, match="timeout_s"):
        stream.people.expect(Condition(), timeout_s)


def test_a_cancelled_wait_is_over(stream):
    wait = stream.people.expect(Condition(), 10.0)
    wait.cancel()
    stream.show(face())
    assert wait.done() and wait.cancelled()
    assert stream.reports == []
