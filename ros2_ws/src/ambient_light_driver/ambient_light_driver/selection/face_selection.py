# SPDX-License-Identifier: Apache-2.0
"""Select the distribution that the light follows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from ambient_light_driver.selection.observation import FaceObservation

Scores = tuple[float, ...]


def select_largest(faces: Sequence[FaceObservation]) -> Scores:
    """Return the scores of the first face with the largest box."""
    return max(faces, key=lambda face: face.area_px).scores


def select_center(faces: Sequence[FaceObservation]) -> Scores:
    """Return the scores of the face nearest to the image's centre."""
    return min(faces, key=lambda face: face.center_distance).scores


def select_mean(faces: Sequence[FaceObservation]) -> Scores:
    """Return the mean scores of all faces."""
    columns = zip(*(face.scores for face in faces), strict=True)
    return tuple(sum(column) / len(faces) for column in columns)


def select_majority(faces: Sequence[FaceObservation]) -> Scores:
    """Return the mean scores of the faces with the most frequent emotion.

    Among equally frequent emotions the one with the highest summed score wins.
    """
    groups: defaultdict[int, list[FaceObservation]] = defaultdict(list)
    for face in faces:
        groups[face.scores.index(max(face.scores))].append(face)

    def votes(emotion: int) -> tuple[int, float]:
        group = groups[emotion]
        return len(group), sum(face.scores[emotion] for face in group)

    return select_mean(groups[max(groups, key=votes)])


SELECTIONS: Mapping[str, Callable[[Sequence[FaceObservation]], Scores]] = MappingProxyType(
    {
        "largest": select_largest,
        "center": select_center,
        "mean": select_mean,
        "majority": select_majority,
    }
)
"""Name -> rule for at least one face."""

BY_FACE_ID = "face_id"
"""Name of the rule that follows a given face."""


def select_scores(
    faces: Sequence[FaceObservation], selection: str, selected_face_id: str = ""
) -> Scores | None:
    """Return the scores that the light follows; None without a face.

    :param selection: a key of :data:`SELECTIONS` or :data:`BY_FACE_ID`.
    :param selected_face_id: the face to follow with :data:`BY_FACE_ID`.
    """
    if selection == BY_FACE_ID:
        return next((face.scores for face in faces if face.face_id == selected_face_id), None)
    return SELECTIONS[selection](faces) if faces else None
