# SPDX-License-Identifier: Apache-2.0
"""Tiles of a run's most important figures."""

from __future__ import annotations

from ..scoring.scorer import Metrics
from .figures import meaning
from .pages import NOTHING, KeyFigure, number, percent
from .results import Results


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
