# SPDX-License-Identifier: Apache-2.0
"""Compare two metrics.json of evaluate_bag.

Exits with 1 when a gated figure is worse by more than allowed, as a check in continuous
integration.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .report.figures import FIGURES, Figure
from .scoring.agreement import label_agreement
from .scoring.emotions_csv import EMOTIONS_FILE, read_emotions


@dataclass(frozen=True)
class Row:
    """One compared figure, ready to print."""

    name: str
    before: str
    after: str
    change: str
    verdict: str

    @property
    def failed(self) -> bool:
        """Return whether it fails the gate."""
        return self.verdict == "WORSE"


def read_metrics(path: Path) -> dict[str, Any]:
    """Read a metrics.json.

    :param path: of the file, or of the folder that holds it.
    :raises ValueError: when it cannot be read or has another content.
    """
    file = path / "metrics.json" if path.is_dir() else path
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{file} is not valid JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("metrics"), dict):
        raise ValueError(f"{file} is not a metrics.json of evaluate_bag: 'metrics' is missing")
    return document


def compare(before: Mapping[str, Any], after: Mapping[str, Any], max_drop: float) -> list[Row]:
    """Return the rows of the table.

    A gated figure that only the first file has counts as worse.

    :param max_drop: allowed loss of a gated figure, in points.
    """
    rows = []
    for figure in FIGURES:
        old, new = figure.value(before), figure.value(after)
        if old is None and new is None:
            continue
        change = None if old is None or new is None else new - old
        rows.append(
            Row(
                figure.name,
                figure.text(old),
                figure.text(new),
                "" if change is None else f"{change:+.2f}",
                _verdict(figure, old, new, change, max_drop),
            )
        )
    return rows


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
        return "WORSE" if figure.gated else "gone"
    gain = change * figure.better
    if figure.gated and gain < -max_drop - 1e-9:
        return "WORSE"
    if abs(change) < 0.005 or not figure.better:
        return "="
    return "better" if gain > 0.0 else "worse" + (", allowed" if figure.gated else "")


def table(rows: list[Row]) -> str:
    """Return the rows as text in columns."""
    lines = [("figure", "before", "after", "change", "")]
    lines += [(row.name, row.before, row.after, row.change, row.verdict) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 4) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _agreement(before: Path, after: Path) -> str:
    files = [(p if p.is_dir() else p.parent) / EMOTIONS_FILE for p in (before, after)]
    if not all(file.is_file() for file in files):
        return ""
    agreement = label_agreement(*(dict(read_emotions(file)) for file in files))
    if not agreement.frames:
        return "the two emotions.csv have no frame in common"
    return (
        f"same labels on {100 * agreement.share:.2f} % of the {agreement.frames} frames in both "
        "emotions.csv"
    )


def main(args: list[str] | None = None) -> int:
    """Run the command line.

    :returns: 0 when all gated figures are equal or better, 1 when one is worse, 2 when the files
        cannot be compared.
    """
    options = _parser().parse_args(args)
    try:
        before, after = read_metrics(options.before), read_metrics(options.after)
        rows = compare(before, after, options.max_drop)
        agreement = _agreement(options.before, options.after)
    except ValueError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    print(table(rows))
    if agreement:
        print(agreement)
    sources = [document.get("source", {}).get("sha256") for document in (before, after)]
    if sources[0] != sources[1]:
        print("note: the two runs are of different recordings")
    failed = [row.name for row in rows if row.failed]
    if failed:
        print(f"WORSE by more than {options.max_drop:g} points: {', '.join(failed)}")
        return 1
    print(f"nothing gated is worse by more than {options.max_drop:g} points")
    return 0


def _parser() -> argparse.ArgumentParser:
    gated = ", ".join(figure.name for figure in FIGURES if figure.gated)
    parser = argparse.ArgumentParser(
        prog="compare",
        description=__doc__,
        epilog=f"Gated: {gated}; a gated figure that is missing counts as worse. Exit code: 0 not "
        "worse, 1 worse, 2 cannot be compared.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("before", type=Path, help="metrics.json before the change, or its folder")
    parser.add_argument("after", type=Path, help="metrics.json after the change, or its folder")
    parser.add_argument(
        "--max-drop",
        type=float,
        default=0.5,
        help="allowed loss in percentage points (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
