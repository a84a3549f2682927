# SPDX-License-Identifier: Apache-2.0
"""Convert fer_msgs to faces."""

from __future__ import annotations

from fer_msgs.msg import EmotionArray, EmotionStamped

from fer_perception.face import BoundingBox

from ..face import Face


def to_face(message: EmotionStamped) -> Face:
    """Return the face of a message."""
    roi = message.roi
    return Face(
        face_id=message.face_id,
        emotion=message.emotion,
        confidence=message.confidence,
        scores=tuple(map(float, message.scores)),
        box=BoundingBox(roi.x_offset, roi.y_offset, roi.width, roi.height),
        valence=message.valence,
        arousal=message.arousal,
        message=message,
    )


def to_faces(message: EmotionArray) -> list[Face]:
    """Return all faces of a message, largest first."""
    return [to_face(face) for face in message.faces]
