# SPDX-License-Identifier: Apache-2.0
"""Figures of a run: names, units and meanings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Figure:
    """A figure of ``metrics.json``.

    :ivar key: in "metrics", or in "host.timings" where it begins with "timings.".
    :ivar scale: factor from the file's unit to the displayed one.
    :ivar better: 1 where more is better, -1 where less is, 0 where neither.
    :ivar meaning: explanation in one line.
    :ivar gated: whether a loss of more than ``--max-drop`` points fails in ``compare``.
    """

    key: str
    name: str
    unit: str
    scale: float
    better: int
    meaning: str = ""
    gated: bool = False

    def value(self, document: Mapping[str, Any]) -> float | None:
        """Return the displayed value in a ``metrics.json``; None where it is undefined."""
        if self.key.startswith("timings."):
            place = document.get("host", {}).get("timings", {})
        else:
            place = document["metrics"]
        value = place.get(self.key.removeprefix("timings."))
        return None if value is None else float(value) * self.scale

    def text(self, value: float | None) -> str:
        """Return a displayed value with its unit."""
        return "–" if value is None else f"{value:.2f} {self.unit}".strip()


FIGURES: Final = (
    Figure(
        "accuracy",
        "accuracy",
        "%",
        100.0,
        1,
        "Right labels among the labelled faces that were found.",
        True,
    ),
    Figure(
        "balanced_accuracy",
        "balanced accuracy",
        "%",
        100.0,
        1,
        "Accuracy of each class by itself, averaged: rare classes count as much as common ones.",
        True,
    ),
    Figure(
        "macro_f1",
        "macro-F1",
        "%",
        100.0,
        1,
        "F1 joins precision and recall of a class; this is its mean over the classes.",
        True,
    ),
    Figure(
        "coverage",
        "faces found",
        "%",
        100.0,
        1,
        "Labelled faces that the detector found.",
        True,
    ),
    Figure(
        "idf1",
        "IDF1",
        "%",
        100.0,
        1,
        "How consistently each person keeps one id; 100 % without any loss or mix-up.",
        True,
    ),
    Figure(
        "ece",
        "calibration error",
        "%",
        100.0,
        -1,
        "ECE: mean distance between confidence and the share of right labels; 0 % is honest.",
        True,
    ),
    Figure(
        "time_to_switch_median_s",
        "time to switch",
        "s",
        1.0,
        -1,
        "From a change of the ground truth to the first frame with the new label.",
    ),
    Figure("missed_changes", "missed changes", "", 1.0, -1, "Changes that were never predicted."),
    Figure(
        "label_flips_per_minute",
        "label flips",
        "/min",
        1.0,
        -1,
        "Changes of label, right and wrong, per minute of a visible face.",
    ),
    Figure(
        "id_switches",
        "id switches",
        "",
        1.0,
        -1,
        "How often a person got another id than before.",
    ),
    Figure("unreadable_frames", "unreadable frames", "", 1.0, -1, "Images that cannot be read."),
    Figure(
        "flash_limit_interventions",
        "flash limiter",
        "",
        1.0,
        0,
        "Times that the flash limiter limited the lamp.",
    ),
    Figure(
        "timings.latency_p50_ms",
        "latency p50",
        "ms",
        1.0,
        -1,
        "Time for a frame that half of the frames stay below.",
    ),
    Figure(
        "timings.latency_p95_ms",
        "latency p95",
        "ms",
        1.0,
        -1,
        "Time for a frame that 95 % of the frames stay below.",
    ),
    Figure("timings.frames_per_s", "speed", "frames/s", 1.0, 1, "Frames per second of the run."),
)


def meaning(key: str) -> str:
    """Return the explanation of a figure."""
    return next(figure.meaning for figure in FIGURES if figure.key == key)
