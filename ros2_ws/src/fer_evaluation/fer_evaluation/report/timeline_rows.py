# SPDX-License-Identifier: Apache-2.0
"""Rows of the timeline: each face, and all faces together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from ..scoring.scorer import Scoring
from ..scoring.timeline import TrackBin
from . import charts


@dataclass(frozen=True)
class FaceRow:
    """A face in the timeline."""

    face_id: str
    summary: str
    areas: Markup
    labels: Markup
    thumbnail: str


@dataclass(frozen=True)
class CrowdRow:
    """All faces together in the timeline."""

    summary: str
    areas: Markup


def crowd_row(time: charts.TimeAxis, scoring: Scoring) -> CrowdRow:
    """Return the row of all faces."""
    crowd, most = scoring.timeline.crowd(), scoring.presence.most_at_once
    frames = sum(step.frames for step in crowd.values())
    return CrowdRow(
        f"all faces together: at most {most} at once, {scoring.presence.faces / frames:.1f} on "
        "average",
        charts.crowd_areas(time, crowd),
    )


def face_row(
    time: charts.TimeAxis, face_id: str, track: Mapping[int, TrackBin], thumbnail: str
) -> FaceRow:
    """Return the row of one face id."""
    frames = sum(step.frames for step in track.values())
    counts: dict[str, int] = {}
    for step in track.values():
        for label, count in step.labels.items():
            counts[label] = counts.get(label, 0) + count
    by_count = sorted(counts.items(), key=lambda entry: -entry[1])
    shares = ", ".join(f"{label} {100 * count / frames:.0f} %" for label, count in by_count[:3])
    labels = {index: step.labels.most_common(1)[0][0] for index, step in track.items()}
    return FaceRow(
        face_id,
        f"{frames} frames: {shares}",
        charts.probability_areas(time, track),
        charts.label_strip(time, labels, f"{face_id} predicted"),
        thumbnail,
    )
