# SPDX-License-Identifier: Apache-2.0
"""Render the report of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from fer_perception.emotions import EMOTIONS

from ..scoring.classification_metrics import PREDICTED_LABELS
from ..scoring.mistakes import NOT_FOUND, Mistake
from ..scoring.presence import SeenId
from ..scoring.scorer import Metrics, Scoring
from ..scoring.timeline import TrackBin
from . import charts
from .figures import meaning
from .pages import (
    NOTHING,
    Cell,
    Column,
    KeyFigure,
    SortableTable,
    flat,
    number,
    percent,
    render,
    sortable,
)
from .results import Results

_MAX_FACES_DRAWN: Final = 8
_MAX_IDS_LISTED: Final = 500
_LATENCY_BARS: Final = 60


@dataclass(frozen=True)
class FaceRow:
    """A face in the timeline."""

    face_id: str
    summary: str
    areas: Markup
    labels: Markup
    thumbnail: str


def render_report(results: Results) -> str:
    """Return the page."""
    scoring, metrics = results.scoring, results.metrics
    timeline = scoring.timeline
    time = charts.TimeAxis(timeline.bins, timeline.width_ns * 1e-9)
    tracks = timeline.tracks()
    shown = list(tracks)[:_MAX_FACES_DRAWN]
    timings = results.timings
    marks = {
        "p50": timings.latency_p50_ms,
        "p95": timings.latency_p95_ms,
        "p99": timings.latency_p99_ms,
    }
    return render(
        "report.html.jinja",
        kind="replay report",
        results=results,
        warnings=[*results.warnings, *map(str, results.unused)],
        metrics=metrics,
        title=str(results.source.get("name", "recording")),
        summary=f"Apparent facial expressions, evaluated by replay · {_summary(results)}",
        figures=key_figures(results),
        axis=charts.axis(time) if metrics.duration_s > 0.0 else None,
        faces=[
            _face_row(time, face_id, tracks[face_id], results.thumbnails.get(face_id, ""))
            for face_id in shown
        ],
        crowd=_crowd_row(time, scoring) if metrics.face_ids > 1 else None,
        ids=_ids(scoring),
        people=_people(metrics),
        truth=[
            (face_id, charts.label_strip(time, labels, "ground truth"))
            for face_id, labels in timeline.truth().items()
        ],
        lamp=charts.lamp_strip(time, timeline.lamp()) if timeline.lamp() else None,
        confusion=_confusion_rows(metrics),
        reliability=charts.reliability_diagram(scoring.classification),
        latency=charts.latency_chart(results.latencies.coarse(_LATENCY_BARS), marks),
        mistakes=[_mistake_row(m, timeline.start_ns or 0) for m in scoring.mistakes.worst()],
        tables=_provenance_tables(results),
    )


def key_figures(results: Results) -> list[KeyFigure]:
    """Return the tiles of the measured figures, the most important first."""
    metrics, timings = results.metrics, results.timings
    detail_changes = (
        f"median; {metrics.missed_changes} of {metrics.true_changes} missed"
        if metrics.true_changes
        else "the ground truth never changed"
    )
    switches = "" if metrics.id_switches is None else f"{metrics.id_switches} id switches"
    figures = [
        _share("Accuracy", "accuracy", metrics, f"balanced {percent(metrics.balanced_accuracy)}"),
        _share("Macro-F1", "macro_f1", metrics, f"over {len(metrics.classes)} classes"),
        _share("Faces found", "coverage", metrics, f"of {metrics.true_faces} labelled faces"),
        _share("Calibration error", "ece", metrics, "ECE, 15 bins"),
        KeyFigure(
            "Time to switch",
            number(metrics.time_to_switch_median_s, 2),
            "s",
            detail_changes,
            meaning("time_to_switch_median_s"),
        ),
        KeyFigure(
            "Label flips",
            number(metrics.label_flips_per_minute, 1),
            "/min",
            "for each face",
            meaning("label_flips_per_minute"),
        ),
        _share("IDF1", "idf1", metrics, switches),
        KeyFigure(
            "Latency p95",
            number(timings.latency_p95_ms, 1),
            "ms",
            f"p50 {number(timings.latency_p50_ms, 1)}, p99 {number(timings.latency_p99_ms, 1)}",
            meaning("timings.latency_p95_ms"),
        ),
        KeyFigure(
            "Speed",
            number(timings.frames_per_s, 1),
            "frames/s",
            f"{timings.times_real_time:.1f} x real time" if timings.times_real_time else "",
            meaning("timings.frames_per_s"),
        ),
        KeyFigure(
            "Flash limiter",
            number(metrics.flash_limit_interventions, 0),
            "",
            "times",
            meaning("flash_limit_interventions"),
        ),
        *_faces_figures(metrics),
    ]
    return [figure for figure in figures if figure.value != NOTHING]


def _share(name: str, key: str, metrics: Metrics, detail: str) -> KeyFigure:
    value = getattr(metrics, key)
    shown = number(None if value is None else 100.0 * value, 1)
    return KeyFigure(name, shown, "%", detail, meaning(key))


def _faces_figures(metrics: Metrics) -> list[KeyFigure]:
    """Return the tiles that need no labels."""
    if metrics.true_faces or not metrics.faces:
        return []
    label, share = next(iter(metrics.expressions.items()))
    return [
        KeyFigure(
            "Faces at once",
            str(metrics.most_faces_at_once),
            "",
            f"at most; {metrics.faces / metrics.frames:.1f} on average",
            "So many people, or more, were seen.",
        ),
        KeyFigure(
            "Most frequent",
            number(100.0 * share, 1),
            "%",
            label,
            "Share of the predicted faces with this label.",
        ),
    ]


def _people(metrics: Metrics) -> str:
    if not metrics.faces:
        return "No face was found."
    people = "person" if metrics.most_faces_at_once == 1 else "people"
    ids = f", under {metrics.face_ids} face ids" if metrics.face_ids else ""
    return (
        f"Shares of {metrics.faces} predicted faces in {metrics.frames_with_faces} of "
        f"{metrics.frames} frames. At least {metrics.most_faces_at_once} {people}: so many faces "
        f"were in one frame{ids}."
    )


@dataclass(frozen=True)
class CrowdRow:
    """All faces in the timeline, whatever their ids."""

    summary: str
    areas: Markup


def _crowd_row(time: charts.TimeAxis, scoring: Scoring) -> CrowdRow:
    crowd, most = scoring.timeline.crowd(), scoring.presence.most_at_once
    frames = sum(step.frames for step in crowd.values())
    return CrowdRow(
        f"all faces together: at most {most} at once, {scoring.presence.faces / frames:.1f} on "
        "average",
        charts.crowd_areas(time, crowd),
    )


@dataclass(frozen=True)
class IdTable:
    """The face ids of a run.

    :ivar count: of all ids.
    :ivar left_out: ids that the table does not list.
    """

    count: int
    left_out: int
    table: SortableTable | None


def _ids(scoring: Scoring) -> IdTable:
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


def _summary(results: Results) -> str:
    metrics = results.metrics
    parts = [str(results.model.get("model_id", ""))]
    if metrics.duration_s > 0.0:
        ids = f"{metrics.face_ids} face ids" if metrics.face_ids != 1 else "1 face id"
        parts += [f"{metrics.frames} frames", charts.clock(metrics.duration_s), ids]
    else:
        parts.append(f"{metrics.frames} pictures")
    return " · ".join(part for part in parts if part)


def _face_row(
    time: charts.TimeAxis, face_id: str, track: Mapping[int, TrackBin], thumbnail: str
) -> FaceRow:
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


def _confusion_rows(metrics: Metrics) -> list[dict[str, Any]]:
    """Return the rows of the confusion matrix as counts and shares."""
    rows = []
    for name in EMOTIONS:
        counts = metrics.confusion.get(name, {})
        total = sum(counts.values())
        cells = [
            (a, counts.get(a, 0), counts.get(a, 0) / total if total else 0)
            for a in PREDICTED_LABELS
        ]
        rows.append({"name": name, "total": total, "cells": cells})
    return rows


def _mistake_row(mistake: Mistake, start_ns: int) -> dict[str, Any]:
    return {
        "from": charts.clock(max(0, mistake.start_ns - start_ns) * 1e-9),
        "to": charts.clock(max(0, mistake.end_ns - start_ns) * 1e-9),
        "stamp_ns": mistake.start_ns,
        "frames": mistake.frames,
        "face": mistake.true_face_id or "–",
        "true": mistake.true_label,
        "answers": mistake.predicted[:3],
        "not_found": NOT_FOUND,
        "confidence": f"{100 * mistake.confidence:.0f} %" if mistake.confidence else "–",
    }


def _provenance_tables(results: Results) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        ("Input and model", flat(results.source) + flat(results.model)),
        ("Settings", flat(results.settings)),
        ("Host", flat(results.host)),
    ]
