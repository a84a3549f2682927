# SPDX-License-Identifier: Apache-2.0
"""Render the page over all bags of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from ..report.charts import clock
from ..report.output_folder import REPORT_FILE
from ..report.pages import (
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
from ..scoring.classification_metrics import PREDICTED_LABELS
from .totals import LEVEL, RESAMPLES, Total

INDEX_FILE: Final = "index.html"
_WORST_LISTED: Final = 30


def render_index(
    title: str,
    documents: Mapping[str, Mapping[str, Any]],
    figures: Sequence[Total],
    results: Mapping[str, Any],
    host: Mapping[str, Any],
) -> str:
    """Return the page.

    :param documents: bag -> its ``metrics.json``.
    :param results: the run's ``run.json``.
    """
    metrics = [document["metrics"] for document in documents.values()]
    frames = sum(one["frames"] for one in metrics)
    recorded_s = sum(one["duration_s"] for one in metrics)
    return render(
        "index.html.jinja",
        kind="replay reports",
        title=title,
        summary=f"Apparent facial expressions, evaluated by replay · {len(documents)} bags · "
        f"{frames} frames · {clock(recorded_s)}",
        figures=[_tile(total) for total in figures if not _is_share(total)],
        shares=[
            (total.figure.name, total.value / 100.0, _interval(total))
            for total in figures
            if _is_share(total)
        ],
        interval=f"In brackets: {LEVEL:.0f} % confidence interval over bags, by bootstrap "
        f"({RESAMPLES} resamples). It says what other bags of the same kind may give; with fewer "
        "than about 20 bags it is too narrow.",
        warnings=results["warnings"],
        failed=results["failed"],
        has_labels=any(one["true_faces"] for one in metrics),
        worst=_worst(documents),
        bags=_bags(documents),
        tables=[("Options", flat(results["options"])), ("Host", flat(host))],
    )


def _is_share(total: Total) -> bool:
    return total.figure.key.startswith("share_")


def _interval(total: Total) -> str:
    if total.low is None or total.high is None:
        return ""
    return f"[{total.low:.1f}, {total.high:.1f}]"


def _tile(total: Total) -> KeyFigure:
    figure = total.figure
    name = figure.name[0].upper() + figure.name[1:]
    return KeyFigure(name, f"{total.value:.1f}", figure.unit, _interval(total), figure.meaning)


def _link(name: str, anchor: str = "") -> str:
    return f"bags/{quote(name)}/{REPORT_FILE}{anchor}"


def _worst(documents: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the worst time ranges of all bags, the worst first."""
    ranges = [
        {**mistake, "bag": name, "href": _link(name, "#mistakes")}
        for name, document in documents.items()
        for mistake in document["mistakes"]
    ]
    ranges.sort(key=lambda one: -one["weight"])
    for one in ranges[:_WORST_LISTED]:
        one["time"] = f"{clock(one['from_s'])} to {clock(one['to_s'])}" if "from_s" in one else ""
        one["confidence"] = percent(one["confidence"]) if one["confidence"] else "–"
    return ranges[:_WORST_LISTED]


def _bags(documents: Mapping[str, Mapping[str, Any]]) -> SortableTable:
    """Return a row per bag, the lowest accuracy first."""
    has_labels = any(document["metrics"]["true_faces"] for document in documents.values())
    rows, orders = [], []
    for place, (name, document) in enumerate(documents.items()):
        metrics = document["metrics"]
        notes = len(document["warnings"]) + len(document["unused"])
        accuracy, flips = metrics["accuracy"], metrics["label_flips_per_minute"]
        shares = {label: metrics["expressions"].get(label, 0.0) for label in PREDICTED_LABELS}
        rows.append(
            [
                Cell(name, _link(name)),
                Cell(str(metrics["frames"])),
                Cell(clock(metrics["duration_s"])),
                Cell(str(metrics["most_faces_at_once"])),
                *(
                    Cell(percent(metrics[key]))
                    for key in ("accuracy", "macro_f1", "coverage")
                    if has_labels
                ),
                Cell(number(flips, 1)),
                Cell(shares=tuple((label, share) for label, share in shares.items() if share)),
                Cell(str(notes) if notes else "", _link(name) if notes else ""),
            ]
        )
        orders.append(
            (
                2.0 if accuracy is None else accuracy,
                place,
                -(flips or 0.0),
                -metrics["most_faces_at_once"],
                -metrics["frames"],
                -notes,
            )
        )
    names = ("lowest accuracy", "name", "most flips", "most faces", "longest", "most warnings")
    return sortable(
        (
            Column("bag"),
            Column("frames", True),
            Column("time", True),
            Column("faces at once", True),
            *(Column(name, True) for name in ("accuracy", "macro-F1", "found") if has_labels),
            Column("flips/min", True),
            Column("labels"),
            Column("warnings", True),
        ),
        rows,
        {name: [keys[n] for keys in orders] for n, name in enumerate(names) if has_labels or n},
    )
