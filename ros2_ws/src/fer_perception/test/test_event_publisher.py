# SPDX-License-Identifier: Apache-2.0
"""Events of a stream and of its end, without a graph."""

import pytest

fer_msgs = pytest.importorskip("fer_msgs.msg", reason="fer_msgs is not built: no event was made")

from builtin_interfaces.msg import Time  # noqa: E402

from fer_perception.nodes.event_publisher import EventPublisher  # noqa: E402
from fer_perception.tracking.face_events import EventConfig  # noqa: E402


@pytest.fixture
def stream():
    events, world = [], [100.0]
    publisher = EventPublisher(events.append, lambda: world[0])
    publisher.configure(EventConfig(dwell_s=0.0, held_s=0.0, left_s=1.0))
    return publisher, events, world


def seen(frame_id="camera"):
    message = fer_msgs.EmotionArray()
    message.header.frame_id = frame_id
    message.faces = [fer_msgs.EmotionStamped(face_id="f0001", emotion="anger", confidence=0.9)]
    return message


def test_faces_leave_when_the_stream_is_silent_for_long_enough(stream):
    publisher, events, world = stream
    publisher.update(seen(), 5.0)
    world[0] += 0.9
    publisher.check_silence(Time(sec=7))
    assert [(e.kind, e.header.frame_id) for e in events] == [
        (fer_msgs.FaceEvent.FACE_APPEARED, "camera")
    ]
    world[0] += 0.2
    publisher.check_silence(Time(sec=8))
    publisher.check_silence(Time(sec=9))
    assert [e.kind for e in events[1:]] == [fer_msgs.FaceEvent.FACE_LEFT]
    assert events[-1].header.stamp.sec == 8


def test_a_simulation_that_stands_still_or_starts_again_is_no_silence(stream):
    publisher, events, world = stream
    publisher.update(seen(), 5.0)
    publisher.check_silence(Time())
    world[0] = 3.0
    publisher.check_silence(Time())
    assert len(events) == 1
    world[0] = 4.5
    publisher.check_silence(Time())
    assert events[-1].kind == fer_msgs.FaceEvent.FACE_LEFT


def test_forgotten_faces_appear_again_and_never_leave(stream):
    publisher, events, world = stream
    publisher.update(seen(), 5.0)
    publisher.forget()
    world[0] += 60.0
    publisher.check_silence(Time())
    publisher.update(seen(), 6.0)
    assert [e.kind for e in events] == [fer_msgs.FaceEvent.FACE_APPEARED] * 2
