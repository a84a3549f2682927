# SPDX-License-Identifier: Apache-2.0
"""Table of the face ids of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..scoring.classification_metrics import PREDICTED_LABELS
from ..scoring.presence import SeenId
from ..scoring.scorer import Scoring
from . import charts
from .pages import Cell, Column, SortableTable, sortable

_MAX_IDS_LISTED: Final = 500


@dataclass(frozen=True)
class IdTable:
    """The face ids of a run.

    :ivar count: of all ids.
    :ivar left_out: ids that the table does not list.
    """

    count: int
    left_out: int
    table: SortableTable | None


def id_table(scoring: Scoring) -> IdTable:
    """Return the ids in the order of their first appearance; no table of a single one."""
    ids, start_ns = scoring.presence.ids, scoring.timeline.start_ns or 0
    listed = list(ids.items())[:_MAX_IDS_LISTED]
    if len(listed) < 2:
        return IdTable(len(ids), 0, None)
    seconds = [
        (max(0, seen.first_ns - start_ns) * 1e-9, max(0, seen.last_ns - start_ns) * 1e-9)
        for _, seen in listed
    ]
    rows = [
        [
            Cell(face_id),
            Cell(charts.clock(first_s)),
            Cell(charts.clock(last_s)),
            Cell(str(seen.frames)),
            Cell(shares=_shares_of(seen)),
            Cell(seen.labels.most_common(1)[0][0]),
        ]
        for (face_id, seen), (first_s, last_s) in zip(listed, seconds, strict=True)
    ]
    table = sortable(
        (
            Column("id"),
            Column("first seen", True),
            Column("last seen", True),
            Column("frames", True),
            Column("labels"),
            Column("most frequent"),
        ),
        rows,
        {
            "first seen": [first_s for first_s, _ in seconds],
            "last seen": [last_s for _, last_s in seconds],
            "most frames": [-seen.frames for _, seen in listed],
            "label": [PREDICTED_LABELS.index(row[-1].text) for row in rows],
        },
    )
    return IdTable(len(ids), len(ids) - len(listed), table)


def _shares_of(seen: SeenId) -> tuple[tuple[str, float], ...]:
    return tuple(
        (label, seen.labels[label] / seen.frames)
        for label in PREDICTED_LABELS
        if seen.labels[label]
    )
