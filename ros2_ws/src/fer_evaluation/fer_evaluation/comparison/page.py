# SPDX-License-Identifier: Apache-2.0
"""Render the comparison of two runs as a page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..batch.run import BAGS_FOLDER
from ..report.output_folder import REPORT_FILE
from ..report.pages import Cell, Column, SortableTable, percent, render, sortable
from ..scoring.classification_metrics import PREDICTED_LABELS
from .rows import Row
from .runs import PairedRuns

Document = Mapping[str, Any]


def render_bag(
    rows: Sequence[Row], before: Document, after: Document, result: str, notes: Sequence[str]
) -> str:
    """Return the page for two runs of one bag."""
    return _page(
        f"{before['source'].get('name', 'recording')}: before and after",
        f"{_run(before)} → {_run(after)}",
        rows,
        result,
        notes,
        shares=_shares(before, after),
        bags=None,
    )


def render_bags(
    rows: Sequence[Row], runs: PairedRuns, folders: tuple[Path, Path], file: Path, result: str
) -> str:
    """Return the page for two runs of many bags.

    :param folders: of the runs, for links.
    :param file: where the page is written.
    """
    return _page(
        f"{folders[0].name} and {folders[1].name}",
        f"{len(runs.names)} bags · {_run(runs.before[0])} → {_run(runs.after[0])}",
        rows,
        result,
        runs.notes,
        shares=[],
        bags=_bags(runs, folders, file),
    )


def _page(
    title: str,
    summary: str,
    rows: Sequence[Row],
    result: str,
    notes: Sequence[str],
    shares: list[tuple[str, float, float]],
    bags: SortableTable | None,
) -> str:
    return render(
        "compare.html.jinja",
        kind="comparison",
        title=title,
        summary=summary,
        rows=rows,
        has_intervals=any(row.interval for row in rows),
        has_failed=any(row.failed for row in rows),
        result=result,
        notes=notes,
        shares=shares,
        bags=bags,
    )


def _run(document: Document) -> str:
    model = str(document.get("model", {}).get("model_id", "")) or "unknown model"
    evaluated = str(document.get("host", {}).get("evaluated_at", ""))
    return f"{model}, {evaluated[:16].replace('T', ' ')}" if evaluated else model


def _shares(before: Document, after: Document) -> list[tuple[str, float, float]]:
    """Return label -> its share of the predicted faces in both runs."""
    old, new = (run["metrics"].get("expressions", {}) for run in (before, after))
    return [
        (label, old.get(label, 0.0), new.get(label, 0.0))
        for label in PREDICTED_LABELS
        if label in old or label in new
    ]


def _bags(runs: PairedRuns, folders: tuple[Path, Path], file: Path) -> SortableTable:
    """Return a row per bag, the one that lost most accuracy first."""
    rows, losses, flips = [], [], []
    for name, before, after in zip(runs.names, runs.before, runs.after, strict=True):
        old, new = before["metrics"], after["metrics"]
        change = _change(old["accuracy"], new["accuracy"], 100.0)
        more_flips = _change(old["label_flips_per_minute"], new["label_flips_per_minute"], 1.0)
        rows.append(
            [
                Cell(name),
                Cell(percent(old["accuracy"]), _link(folders[0], name, file)),
                Cell(percent(new["accuracy"]), _link(folders[1], name, file)),
                Cell("" if change is None else f"{change:+.1f}"),
                Cell("" if more_flips is None else f"{more_flips:+.1f}"),
            ]
        )
        losses.append(change or 0.0)
        flips.append(-(more_flips or 0.0))
    return sortable(
        (
            Column("bag"),
            Column("accuracy before", True),
            Column("after", True),
            Column("change", True),
            Column("flips/min", True),
        ),
        rows,
        {
            "lost accuracy": losses,
            "won accuracy": [-loss for loss in losses],
            "more flips": flips,
            "name": list(range(len(rows))),
        },
    )


def _change(old: float | None, new: float | None, scale: float) -> float | None:
    return None if old is None or new is None else scale * (new - old)


def _link(run: Path, name: str, file: Path) -> str:
    report = run.resolve() / BAGS_FOLDER / name / REPORT_FILE
    return quote(os.path.relpath(report, file.resolve().parent))
