# SPDX-License-Identifier: Apache-2.0
"""Ground truth of a recording: labels from a CSV file or topic."""

from __future__ import annotations

import csv
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from fer_perception.emotions import EMOTIONS
from fer_perception.face import BoundingBox

from ..bags.bag_error import BagError
from ..bags.bag_reader import OpenBag
from ..bags.message_types import EMOTION_TYPE, MessageTypes
from ..datasets.class_names import CLASS_NAMES

NOBODY: Final = "none"
"""Label of a time in which the face is absent."""

TOLERANCE_S: Final = 0.02
"""Largest distance of a row with a box from its frame [s]."""

COLUMNS: Final = "stamp_ns (or time_s), label[, x, y, w, h][, face_id]"


class LabelError(Exception):
    """Labels cannot be used; the message names place and expected form."""


@dataclass(frozen=True)
class LabelRow:
    """A label of a face.

    :ivar stamp_ns: start of its time, or stamp of its frame.
    :ivar label: one of :data:`~fer_perception.emotions.EMOTIONS`, or :data:`NOBODY`.
    :ivar box: the face's place in that frame [px]; None for a label that holds from ``stamp_ns``
        until the next row of the same face.
    :ivar face_id: identity of the face; may be empty where there is only one.
    """

    stamp_ns: int
    label: str
    box: BoundingBox | None
    face_id: str


@dataclass(frozen=True)
class GroundTruthFace:
    """A labelled face of a frame.

    :ivar box: its place [px]; None where it is not labelled.
    :ivar since_ns: start of its label, as far as known.
    """

    face_id: str
    label: str
    box: BoundingBox | None
    since_ns: int


class GroundTruth:
    """Labels of a recording by time.

    A row with a box labels one frame. A row without a box holds from its stamp until the next row
    of the same face: two rows suffice for a clip in which one face changes once.

    :param rows: in any order.
    :param tolerance_s: see :data:`TOLERANCE_S`.
    """

    def __init__(self, rows: Iterable[LabelRow], tolerance_s: float = TOLERANCE_S) -> None:
        self._tolerance_ns = round(tolerance_s * 1e9)
        self._stamps: list[int] = []
        self._groups: list[list[LabelRow]] = []
        self._held: dict[str, list[LabelRow]] = {}
        for row in sorted(rows, key=lambda row: row.stamp_ns):
            if row.box is None:
                self._held.setdefault(row.face_id, []).append(row)
            elif self._stamps and self._stamps[-1] == row.stamp_ns:
                self._groups[-1].append(row)
            else:
                self._stamps.append(row.stamp_ns)
                self._groups.append([row])
        self._held_stamps = {
            face_id: [row.stamp_ns for row in held] for face_id, held in self._held.items()
        }
        self._last_used = -1
        self._used: set[tuple[str | None, int]] = set()

    @property
    def distinguishes_faces(self) -> bool:
        """Return whether faces have identities, so that ids can be scored."""
        anonymous = len(self._held) > 1 and "" in self._held
        crowded = any(
            len(group) > 1 and any(not row.face_id for row in group) for group in self._groups
        )
        return not anonymous and not crowded

    @property
    def unused_rows(self) -> int:
        """Return how many rows labelled none of the frames so far."""
        rows = sum(map(len, self._held.values())) + sum(map(len, self._groups))
        used = sum(1 if face_id is not None else len(self._groups[i]) for face_id, i in self._used)
        return rows - used

    def at(self, stamp_ns: int) -> tuple[GroundTruthFace, ...] | None:
        """Return the faces of the frame at ``stamp_ns``; None if unlabelled.

        Each group of rows with boxes serves one frame only, so ask for the frames in order.
        """
        faces: list[GroundTruthFace] = []
        known = False
        for face_id, held in self._held.items():
            index = bisect_right(self._held_stamps[face_id], stamp_ns) - 1
            if index < 0:
                continue
            known = True
            self._used.add((face_id, index))
            if held[index].label != NOBODY:
                faces.append(
                    GroundTruthFace(face_id, held[index].label, None, _since(held, index))
                )
        group = self._group_near(stamp_ns)
        if group is not None:
            known = True
            faces += [
                GroundTruthFace(row.face_id, row.label, row.box, row.stamp_ns)
                for row in group
                if row.label != NOBODY
            ]
        return tuple(faces) if known else None

    def _group_near(self, stamp_ns: int) -> list[LabelRow] | None:
        right = bisect_left(self._stamps, stamp_ns)
        near = [i for i in (right - 1, right) if 0 <= i < len(self._stamps)]
        if not near:
            return None
        best = min(near, key=lambda i: abs(self._stamps[i] - stamp_ns))
        distance_ns = abs(self._stamps[best] - stamp_ns)
        if distance_ns > self._tolerance_ns or (best == self._last_used and distance_ns):
            return None
        self._last_used = best
        self._used.add((None, best))
        return self._groups[best]


def _since(held: list[LabelRow], index: int) -> int:
    """Return the start of a row's label, including earlier equal rows."""
    while index and held[index - 1].label == held[index].label:
        index -= 1
    return held[index].stamp_ns


def read_labels(path: Path, first_stamp_ns: int = 0) -> list[LabelRow]:
    """Read a CSV with the columns :data:`COLUMNS` and # comments.

    :param first_stamp_ns: stamp of the first image, from which ``time_s`` counts.
    :raises LabelError: naming the line that cannot be used.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(_rows(file, path, first_stamp_ns))
    except OSError as error:
        raise LabelError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path} is not text in UTF-8") from error


def _rows(file: Iterable[str], path: Path, first_stamp_ns: int) -> Iterator[LabelRow]:
    lines = [(n, line) for n, line in enumerate(file, start=1) if line.strip()]
    lines = [(n, line) for n, line in lines if not line.startswith("#")]
    if not lines:
        raise LabelError(f"{path}: no labels; expected columns {COLUMNS}")
    reader = csv.DictReader((line for _, line in lines), skipinitialspace=True)
    columns = [name.strip() for name in reader.fieldnames or ()]
    if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise LabelError(f"{path}:{lines[0][0]}: column {twice[0]!r} is there twice")
    names = set(columns)
    if "label" not in names or not names & {"stamp_ns", "time_s"}:
        raise LabelError(f"{path}:{lines[0][0]}: expected a first line with columns {COLUMNS}")
    if len(lines) == 1:
        raise LabelError(f"{path}: no labels below the line with the columns")
    labels: dict[tuple[int, str], str] = {}
    for (number, _), fields in zip(lines[1:], reader, strict=False):
        try:
            row = _row(fields, first_stamp_ns)
            if row.box is None and labels.setdefault((row.stamp_ns, row.face_id), row.label) != (
                row.label
            ):
                raise ValueError(
                    f"an earlier row has another label for the same time: {row.label} and "
                    f"{labels[row.stamp_ns, row.face_id]}"
                )
        except ValueError as error:
            raise LabelError(f"{path}:{number}: {error}") from None
        yield row


def _row(fields: dict[str | Any, Any], first_stamp_ns: int) -> LabelRow:
    if any(cell.strip() for cell in fields.pop(None, ())):
        raise ValueError("more cells than columns")
    text = {name.strip(): (value or "").strip() for name, value in fields.items()}
    if text.get("stamp_ns") and text.get("time_s"):
        raise ValueError("both stamp_ns and time_s are given: keep one of them")
    if text.get("stamp_ns"):
        stamp_ns = int(text["stamp_ns"])
    else:
        seconds = float(text.get("time_s") or "nan")
        if not math.isfinite(seconds):
            raise ValueError("neither stamp_ns nor time_s is given")
        stamp_ns = first_stamp_ns + round(seconds * 1e9)
    label = text["label"].lower()
    label = CLASS_NAMES.get(label, label)
    if label not in (*EMOTIONS, NOBODY):
        raise ValueError(f"label {label!r}: expected one of {', '.join((*EMOTIONS, NOBODY))}")
    corners = [text.get(name, "") for name in ("x", "y", "w", "h")]
    box = None
    if any(corners):
        x, y, width, height = (float(value or "nan") for value in corners)
        if not (math.isfinite(x + y) and 0.0 < width < math.inf and 0.0 < height < math.inf):
            raise ValueError(f"box {', '.join(corners)}: expected x, y, and w and h above 0")
        box = BoundingBox(x, y, width, height)
    return LabelRow(stamp_ns, label, box, text.get("face_id", ""))


def labels_from_topic(
    bag: OpenBag, types: MessageTypes, topic: str, by_recording: bool = False
) -> list[LabelRow]:
    """Read the labels from a topic of ``EmotionStamped``.

    :param by_recording: time them by their recording instead of their stamps.
    :raises BagError: when the topic is missing, has another type, or cannot be read.
    """
    found = bag.topics.get(topic)
    if found is None:
        raise BagError(f"the bag has no topic {topic}; its topics: {', '.join(bag.topics)}")
    if found.type_name != EMOTION_TYPE:
        raise BagError(f"{topic} is {found.type_name}: expected {EMOTION_TYPE} for labels")
    if topic in types.unknown:
        types.learn_fer_msgs()
    rows = []
    for message in bag.messages({topic}):
        row = _row_of_message(types.read(message.data, EMOTION_TYPE), topic)
        rows.append(replace(row, stamp_ns=message.stamp_ns) if by_recording else row)
    return rows


def _row_of_message(message: Any, topic: str) -> LabelRow:
    stamp, roi = message.header.stamp, message.roi
    if message.emotion not in (*EMOTIONS, NOBODY):
        raise BagError(
            f"{topic}: emotion {message.emotion!r} is unknown: expected one of {EMOTIONS}"
        )
    box = None
    if roi.width and roi.height:
        box = BoundingBox(roi.x_offset, roi.y_offset, roi.width, roi.height)
    stamp_ns = stamp.sec * 10**9 + stamp.nanosec
    return LabelRow(stamp_ns, message.emotion, box, message.face_id)
