# SPDX-License-Identifier: Apache-2.0
"""Convert core events to fer_msgs/FaceEvent."""

from __future__ import annotations

from typing import Final

from fer_msgs.msg import EmotionArray, FaceEvent
from std_msgs.msg import Header

from ..tracking import face_events
from ..tracking.face_events import EventKind, SeenFace
from .emotion_messages import to_duration

_KINDS: Final = {
    EventKind.FACE_APPEARED: FaceEvent.FACE_APPEARED,
    EventKind.FACE_LEFT: FaceEvent.FACE_LEFT,
    EventKind.EMOTION_CHANGED: FaceEvent.EMOTION_CHANGED,
    EventKind.EMOTION_HELD: FaceEvent.EMOTION_HELD,
}


def seen_faces(message: EmotionArray) -> list[SeenFace]:
    """Return the faces of a message as input of the event detector."""
    return [SeenFace(face.face_id, face.emotion, face.confidence) for face in message.faces]


def to_event_message(event: face_events.FaceEvent, header: Header) -> FaceEvent:
    """Return the message for ``event``.

    :param header: of the image that caused it.
    """
    return FaceEvent(
        header=header,
        kind=_KINDS[event.kind],
        face_id=event.face_id,
        emotion=event.emotion,
        previous_emotion=event.previous_emotion,
        confidence=event.confidence,
        duration=to_duration(event.duration_s),
    )
