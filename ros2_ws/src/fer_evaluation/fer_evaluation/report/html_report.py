# SPDX-License-Identifier: Apache-2.0
"""Render results as one HTML page without scripts or requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fer_perception.emotions import EMOTIONS

from ..scoring.classification_metrics import PREDICTED_LABELS
from ..scoring.mistakes import NOT_FOUND, Mistake
from ..scoring.scorer import Metrics
from ..scoring.timeline import TrackBin
from . import charts
from .results import Results

_MAX_FACES_SHOWN: Final = 8
_LATENCY_BARS: Final = 60
_NOTHING: Final = "–"


@dataclass(frozen=True)
class KeyFigure:
    """A tile at the top of the report."""

    name: str
    value: str
    unit: str
    detail: str


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
    environment = Environment(
        loader=PackageLoader("fer_evaluation.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scoring, metrics = results.scoring, results.metrics
    timeline = scoring.timeline
    time = charts.TimeAxis(timeline.bins, timeline.width_ns * 1e-9)
    tracks = timeline.tracks()
    shown = list(tracks)[:_MAX_FACES_SHOWN]
    timings = results.timings
    marks = {
        "p50": timings.latency_p50_ms,
        "p95": timings.latency_p95_ms,
        "p99": timings.latency_p99_ms,
    }
    return environment.get_template("report.html.jinja").render(
        results=results,
        warnings=[*results.warnings, *map(str, results.unused)],
        metrics=metrics,
        emotions=EMOTIONS,
        labels=PREDICTED_LABELS,
        title=str(results.source.get("name", "recording")),
        summary=_summary(results),
        figures=key_figures(results),
        axis=charts.axis(time) if metrics.duration_s > 0.0 else None,
        faces=[
            _face_row(time, face_id, tracks[face_id], results.thumbnails.get(face_id, ""))
            for face_id in shown
        ],
        hidden_faces=len(tracks) - len(shown) + timeline.given_up,
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
        _share("Accuracy", metrics.accuracy, f"balanced {_percent(metrics.balanced_accuracy)}"),
        _share("Macro-F1", metrics.macro_f1, f"over {len(metrics.classes)} classes"),
        _share("Faces found", metrics.coverage, f"of {metrics.true_faces} labelled faces"),
        _share("Calibration error", metrics.ece, "ECE, 15 bins; less is better"),
        KeyFigure(
            "Time to switch",
            _number(metrics.time_to_switch_median_s, 2),
            "s",
            detail_changes,
        ),
        KeyFigure(
            "Label flips",
            _number(metrics.label_flips_per_minute, 1),
            "/min",
            "for each face",
        ),
        _share("IDF1", metrics.idf1, switches),
        KeyFigure(
            "Latency p95",
            _number(timings.latency_p95_ms, 1),
            "ms",
            f"p50 {_number(timings.latency_p50_ms, 1)}, p99 {_number(timings.latency_p99_ms, 1)}",
        ),
        KeyFigure(
            "Speed",
            _number(timings.frames_per_s, 1),
            "frames/s",
            f"{timings.times_real_time:.1f} x real time" if timings.times_real_time else "",
        ),
        KeyFigure(
            "Flash limiter",
            _number(metrics.flash_limit_interventions, 0),
            "",
            "times it limited the lamp",
        ),
    ]
    return [figure for figure in figures if figure.value != _NOTHING]


def _share(name: str, value: float | None, detail: str) -> KeyFigure:
    return KeyFigure(name, _number(None if value is None else 100.0 * value, 1), "%", detail)


def _number(value: float | None, digits: int) -> str:
    return _NOTHING if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return _NOTHING if value is None else f"{100.0 * value:.1f} %"


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
    def rows(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
        flat: list[tuple[str, str]] = []
        for name, value in values.items():
            if isinstance(value, Mapping):
                flat += rows(value, f"{prefix}{name}.")
            else:
                flat.append((f"{prefix}{name}", "–" if value is None else str(value)))
        return flat

    return [
        ("Input and model", rows(results.source) + rows(results.model)),
        ("Settings", rows(results.settings)),
        ("Host", rows(results.host)),
    ]
