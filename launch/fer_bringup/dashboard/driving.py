# SPDX-License-Identifier: Apache-2.0
"""Which faces drive the lamp, by the light's own rules."""

from __future__ import annotations

from collections.abc import Sequence

from fer_msgs.msg import EmotionArray

from ambient_light_driver.nodes.emotion_conversion import faces_from_message
from ambient_light_driver.selection.face_selection import BY_FACE_ID, SELECTIONS, select_scores


def id_prefix(topics: Sequence[str], topic: str) -> str:
    """Return what the light puts before the ids of ``topic``.

    :param topics: the light's ``emotions_topics``; it has prefixes when there are several.
    """
    return f"{topic}/" if len(topics) > 1 else ""


def driving_faces(message: EmotionArray, rule: str, selected: str, prefix: str) -> list[str]:
    """Return the ids of the faces that drive the lamp.

    :param rule: the light's ``face_selection``; an unknown one selects none.
    :param selected: its ``selected_face_id``.
    :param prefix: of :func:`id_prefix`; with one, other cameras may drive the lamp, so only a
        face selected by its id is known.
    """
    if rule != BY_FACE_ID and (prefix or rule not in SELECTIONS):
        return []
    faces = faces_from_message(message, prefix).faces
    scores = select_scores(faces, rule, selected)
    if scores is None:
        return []
    if rule == "mean":
        chosen = list(faces)
    elif rule == "majority":
        top = scores.index(max(scores))
        chosen = [face for face in faces if face.scores.index(max(face.scores)) == top]
    else:
        chosen = [face for face in faces if face.scores is scores]
    return [face.face_id.removeprefix(prefix) for face in chosen]
