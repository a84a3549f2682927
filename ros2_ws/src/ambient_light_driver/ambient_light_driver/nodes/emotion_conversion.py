# SPDX-License-Identifier: Apache-2.0
"""Convert between ROS messages and core types."""

from __future__ import annotations

from dataclasses import dataclass

from fer_msgs.msg import EmotionArray, EmotionStamped
from std_msgs.msg import ColorRGBA

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.color.palette import emotion_names
from ambient_light_driver.selection.observation import FaceObservation, observed_face

MAX_FACES = 64
"""Maximum number of faces read from one message, largest first."""

MAX_FACE_ID_LENGTH = 64
"""Maximum length of an id; longer ones are truncated."""

SCORE_INDICES = tuple(getattr(EmotionStamped, name.upper()) for name in emotion_names())
"""Index of each palette emotion in ``EmotionStamped.scores``."""


@dataclass(frozen=True, slots=True)
class ConvertedFaces:
    """The faces of one message.

    :param faces: the usable faces.
    :param rejected: number of faces whose scores are not a distribution.
    :param ignored: number of faces after the first :data:`MAX_FACES`.
    """

    faces: tuple[FaceObservation, ...]
    rejected: int
    ignored: int


def faces_from_message(message: EmotionArray, id_prefix: str = "") -> ConvertedFaces:
    """Convert the faces of one image; never raise on invalid numbers.

    :param id_prefix: prefix of each id, to distinguish several cameras.
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
    """Convert a colour to sRGB in [0, 1] with brightness included.

    Alpha is 1 while lit, else 0.

    Consumers that ignore ``a`` show the same light: without the brightness, hues that are nearly
    dark would flash.
    """
    red, green, blue = color.displayed_rgb()
    return ColorRGBA(r=red, g=green, b=blue, a=float(color.brightness > 0.0))
