# SPDX-License-Identifier: Apache-2.0
"""From the faces of one image to the one distribution that the light follows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from ambient_light_driver.selection.observation import FaceObservation

Scores = tuple[float, ...]


def select_largest(faces: Sequence[FaceObservation]) -> Scores:
    """Scores of the face with the largest box; the first one if several are equally large."""
    return max(faces, key=lambda face: face.area_px).scores


def select_center(faces: Sequence[FaceObservation]) -> Scores:
    """Scores of the face nearest to the centre of the image."""
    return min(faces, key=lambda face: face.center_distance).scores


def select_mean(faces: Sequence[FaceObservation]) -> Scores:
    """Mean of all faces' scores, each face with equal weight."""
    columns = zip(*(face.scores for face in faces), strict=True)
    return tuple(sum(column) / len(faces) for column in columns)


def select_majority(faces: Sequence[FaceObservation]) -> Scores:
    """Mean scores of the faces that show the emotion which most faces show.

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
"""Name -> rule that needs at least one face."""

BY_FACE_ID = "face_id"
"""Name of the rule that follows one given face."""


def select_scores(
    faces: Sequence[FaceObservation], selection: str, selected_face_id: str = ""
) -> Scores | None:
    """Return the scores that the light follows, or None when no face qualifies.

    :param selection: a key of :data:`SELECTIONS` or :data:`BY_FACE_ID`.
    :param selected_face_id: the face to follow with :data:`BY_FACE_ID`.
    """
    if selection == BY_FACE_ID:
        return next((face.scores for face in faces if face.face_id == selected_face_id), None)
    return SELECTIONS[selection](faces) if faces else None
