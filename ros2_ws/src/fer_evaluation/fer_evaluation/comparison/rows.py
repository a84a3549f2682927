# SPDX-License-Identifier: Apache-2.0
"""Compare the figures of two runs, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..batch.totals import Difference, Total
from ..report.figures import FIGURES, Figure

WORSE: Final = "WORSE"
MISSING: Final = "MISSING"
_EQUAL: Final = 0.005


@dataclass(frozen=True)
class Row:
    """One compared figure, ready to print.

    :ivar interval: confidence interval of the change, over many bags; else empty.
    """

    name: str
    before: str
    after: str
    change: str
    verdict: str
    meaning: str = ""
    interval: str = ""

    @property
    def failed(self) -> bool:
        """Return whether it fails the gate."""
        return self.verdict.startswith((WORSE, MISSING))


def rows_of_bag(before: Mapping[str, Any], after: Mapping[str, Any], max_drop: float) -> list[Row]:
    """Compare two ``metrics.json``.

    A gated figure that only the first file has fails as one that is worse.

    :param max_drop: allowed loss of a gated figure, in points.
    """
    rows = []
    for figure in FIGURES:
        old, new = figure.value(before), figure.value(after)
        if old is None and new is None:
            continue
        change = None if old is None or new is None else new - old
        rows.append(_row(figure, old, new, _verdict(figure, old, new, change, max_drop)))
    return rows


def rows_of_bags(
    before: Sequence[Total], changes: Sequence[Difference], max_drop: float
) -> list[Row]:
    """Compare the totals of two runs on the same bags.

    :param before: totals of the first run.
    :param changes: of the figures that both runs define.
    """
    by_key = {change.figure.key: change for change in changes}
    rows = []
    for total in before:
        if total.figure.key not in by_key:
            verdict = MISSING if total.figure.gated else "gone"
            rows.append(_row(total.figure, total.value, None, verdict))
    for change in changes:
        verdict = _verdict(change.figure, change.before, change.after, change.change, max_drop)
        if change.low is not None and verdict != "=" or change.is_significant:
            verdict += ", significant" if change.is_significant else ", may be chance"
        interval = f"[{change.low:+.2f}, {change.high:+.2f}]" if change.low is not None else ""
        rows.append(_row(change.figure, change.before, change.after, verdict, interval))
    return rows


def _row(
    figure: Figure, old: float | None, new: float | None, verdict: str, interval: str = ""
) -> Row:
    change = "" if old is None or new is None else f"{new - old:+.2f}"
    return Row(
        figure.name, figure.text(old), figure.text(new), change, verdict, figure.meaning, interval
    )


def _verdict(
    figure: Figure,
    old: float | None,
    new: float | None,
    change: float | None,
    max_drop: float,
) -> str:
    if old is None:
        return "new"
    if change is None or new is None:
        return MISSING if figure.gated else "gone"
    gain = change * figure.better
    if figure.gated and gain < -max_drop - 1e-9:
        return WORSE
    if abs(change) < _EQUAL:
        return "="
    if not figure.better:
        return "changed"
    return "better" if gain > 0.0 else "worse" + (", allowed" if figure.gated else "")


def result_of(rows: Sequence[Row], max_drop: float) -> str:
    """Return in one line which figures fail the gate.

    :param max_drop: allowed loss of a gated figure, in points.
    """
    worse = [row.name for row in rows if row.verdict.startswith(WORSE)]
    missing = [row.name for row in rows if row.verdict == MISSING]
    parts = [f"WORSE by more than {max_drop:g} points: {', '.join(worse)}"] if worse else []
    parts += [f"MISSING in the second run: {', '.join(missing)}"] if missing else []
    return "; ".join(parts) or f"nothing gated is worse by more than {max_drop:g} points"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text in columns."""
    lines: list[tuple[str, ...]] = [("figure", "before", "after", "change", "95 % interval", "")]
    lines += [(r.name, r.before, r.after, r.change, r.interval, r.verdict) for r in rows]
    if not any(row.interval for row in rows):
        lines = [line[:4] + line[5:] for line in lines]
    columns = range(len(lines[0]))
    widths = [max(len(line[column]) for line in lines) for column in columns]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, columns[-1]) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
