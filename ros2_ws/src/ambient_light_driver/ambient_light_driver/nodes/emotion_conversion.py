# SPDX-License-Identifier: Apache-2.0
"""Conversion between ROS messages and the values of the core."""

from __future__ import annotations

from dataclasses import dataclass

from fer_msgs.msg import EmotionArray, EmotionStamped
from std_msgs.msg import ColorRGBA

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.color.palette import emotion_names
from ambient_light_driver.selection.observation import FaceObservation, observed_face

MAX_FACES = 64
"""Faces read from one message; they come largest first."""

MAX_FACE_ID_LENGTH = 64
"""A tracker's id is short; anything longer is cut."""

SCORE_INDICES = tuple(getattr(EmotionStamped, name.upper()) for name in emotion_names())
"""Where each emotion of the palettes stands in ``EmotionStamped.scores``."""


@dataclass(frozen=True, slots=True)
class ConvertedFaces:
    """The faces of one message.

    :param faces: those that can be used.
    :param rejected: how many had scores that are not a distribution.
    :param ignored: how many came after the first :data:`MAX_FACES`.
    """

    faces: tuple[FaceObservation, ...]
    rejected: int
    ignored: int


def faces_from_message(message: EmotionArray, id_prefix: str = "") -> ConvertedFaces:
    """Convert the faces of one image; never raises, whatever the numbers in it are.

    :param id_prefix: put before each id; distinguishes the faces of several cameras.
    """
    width, height = message.image_width, message.image_height
    faces: list[FaceObservation] = []
    rejected = 0
    for entry in message.faces[:MAX_FACES]:
        roi = entry.roi
        face = observed_face(
            id_prefix + entry.face_id[:MAX_FACE_ID_LENGTH],
            [entry.scores[i] for i in SCORE_INDICES],
            (roi.x_offset, roi.y_offset, roi.width, roi.height),
            (width, height),
        )
        if face is None:
            rejected += 1
        else:
            faces.append(face)
    return ConvertedFaces(tuple(faces), rejected, max(0, len(message.faces) - MAX_FACES))


def message_from_color(color: LightColor) -> ColorRGBA:
    """Convert a colour: r, g, b are sRGB in [0, 1], a is the brightness in [0, 1]."""
    return ColorRGBA(r=color.red, g=color.green, b=color.blue, a=color.brightness)
