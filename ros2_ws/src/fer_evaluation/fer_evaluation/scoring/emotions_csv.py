# SPDX-License-Identifier: Apache-2.0
"""Write and read ``emotions.csv``, the table of predictions."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from fer_perception.emotions import EMOTIONS
from fer_perception.face import BoundingBox

from .ground_truth import GroundTruthFace
from .matching import FaceMatch
from .predicted_face import PredictedFace, PredictedFrame

EMOTIONS_FILE: Final = "emotions.csv"
COLUMNS: Final = (
    "stamp_ns",
    "face_id",
    "x",
    "y",
    "w",
    "h",
    "emotion",
    *EMOTIONS,
    "true_face_id",
    "true_emotion",
)
"""One row per face; a frame without a face has a row with only its stamp.

x, y, w, h: the face's box [px]; a column per class: its probability; the last two: the matched
face of the ground truth.
"""


class EmotionsCsv:
    """Write the table row by row.

    :param file: a text file, open for writing.
    """

    def __init__(self, file: IO[str]) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def add(self, frame: PredictedFrame, matches: Sequence[FaceMatch]) -> None:
        """Write the rows of a frame."""
        if not frame.faces:
            self._writer.writerow([frame.stamp_ns, *[""] * (len(COLUMNS) - 1)])
        matched = {
            id(match.predicted): match.ground_truth
            for match in matches
            if match.predicted is not None
        }
        for face in frame.faces:
            self._writer.writerow([frame.stamp_ns, *self._cells(face), *_truth(matched, face)])

    @staticmethod
    def _cells(face: PredictedFace) -> list[str]:
        box = face.box
        corners = (f"{value:.1f}" for value in (box.x, box.y, box.width, box.height))
        # The fourth decimal and on differ between processors.
        return [face.face_id, *corners, face.label, *(f"{score:.4f}" for score in face.scores)]


def _truth(matched: dict[int, GroundTruthFace], face: PredictedFace) -> list[str]:
    match = matched.get(id(face))
    return [match.face_id, match.label] if match is not None else ["", ""]


@dataclass(frozen=True)
class LabelledFace:
    """A face of the table."""

    box: BoundingBox
    label: str


def read_emotions(path: Path) -> Iterator[tuple[int, tuple[LabelledFace, ...]]]:
    """Yield stamp [ns] and faces of each frame of a table.

    :raises ValueError: when the columns do not match.
    """
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path} is not an emotions.csv: its columns are {reader.fieldnames}")
        stamp_ns: int | None = None
        faces: list[LabelledFace] = []
        for row in reader:
            if stamp_ns is not None and int(row["stamp_ns"]) != stamp_ns:
                yield stamp_ns, tuple(faces)
                faces = []
            stamp_ns = int(row["stamp_ns"])
            if row["emotion"]:
                box = BoundingBox(*(float(row[name]) for name in ("x", "y", "w", "h")))
                faces.append(LabelledFace(box, row["emotion"]))
        if stamp_ns is not None:
            yield stamp_ns, tuple(faces)
