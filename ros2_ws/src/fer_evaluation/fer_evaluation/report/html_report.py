# SPDX-License-Identifier: Apache-2.0
"""Render the report of a run."""

from __future__ import annotations

from typing import Any, Final

from fer_perception.emotions import EMOTIONS

from ..scoring.classification_metrics import PREDICTED_LABELS
from ..scoring.mistakes import NOT_FOUND, Mistake
from ..scoring.scorer import Metrics
from . import charts
from .id_table import id_table
from .key_figures import key_figures
from .pages import flat, render
from .results import Results
from .timeline_rows import crowd_row, face_row

_MAX_FACES_DRAWN: Final = 8
_LATENCY_BARS: Final = 60


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
            face_row(time, face_id, tracks[face_id], results.thumbnails.get(face_id, ""))
            for face_id in shown
        ],
        crowd=crowd_row(time, scoring) if metrics.face_ids > 1 else None,
        ids=id_table(scoring),
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


def _people(metrics: Metrics) -> str:
    if not metrics.faces:
        return "No face was found."
    people = "person" if metrics.most_faces_at_once == 1 else "people"
    ids = f", under {metrics.face_ids} face ids" if metrics.face_ids else ""
    return (
        f"Shares of {metrics.faces} predicted faces in {metrics.frames_with_faces} of "
        f"{metrics.frames} frames. At least {metrics.most_faces_at_once} {people}: that many "
        f"faces were in one frame{ids}."
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
        "predicted": mistake.predicted[:3],
        "not_found": NOT_FOUND,
        "confidence": f"{100 * mistake.confidence:.0f} %" if mistake.confidence else "–",
    }


def _provenance_tables(results: Results) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        ("Input and model", flat(results.source) + flat(results.model)),
        ("Settings", flat(results.settings)),
        ("Host", flat(results.host)),
    ]
