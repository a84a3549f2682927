# SPDX-License-Identifier: Apache-2.0
"""Compare two runs of evaluate_bag, of one bag or of many.

Exits with 1 when a gated figure is worse by more than allowed, as a check in continuous
integration. For runs of many bags, the paired bootstrap says which changes are significant.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    # Before the libraries below are loaded, so that Ctrl-C ends in one line from the start.
    from fer_common.command import run

    sys.exit(run("fer_evaluation.compare"))

from fer_common.atomic_file import write_atomically
from fer_common.options import Option

from .batch.totals import differences, sums_matrix, totals
from .comparison.page import render_bag, render_bags
from .comparison.rows import Row, result_of, rows_of_bag, rows_of_bags, table
from .comparison.runs import is_run_of_many, paired, read_metrics, read_run
from .pipeline_options import checked
from .report.figures import FIGURES
from .scoring.agreement import label_agreement
from .scoring.emotions_csv import EMOTIONS_FILE, read_emotions


@dataclass(frozen=True)
class _Comparison:
    """What is printed, and the page that shows it.

    :ivar page: takes the result in one line.
    :ivar missing: bags that the second run lacks.
    """

    rows: Sequence[Row]
    notes: Sequence[str]
    page: Callable[[str], str]
    missing: Sequence[str] = ()

    def result(self, max_drop: float) -> tuple[str, int]:
        """Return the result in one line, and the exit code."""
        gated = {figure.name for figure in FIGURES if figure.gated}
        if not any(row.name in gated for row in self.rows):
            return "nothing was gated: neither run has labels that it was compared with", 2
        text = result_of(self.rows, max_drop)
        if self.missing:
            text += f"; MISSING in the second run: bags {', '.join(self.missing[:5])}"
            text += f" and {len(self.missing) - 5} more" * (len(self.missing) > 5)
        return text, int(bool(self.missing) or any(row.failed for row in self.rows))


def main(args: list[str] | None = None) -> int:
    """Run the command line.

    :returns: 0 when all gated figures are equal or better, 1 when one of them or a bag is worse or
        missing, 2 when the runs cannot be compared.
    """
    options = _parser().parse_args(args)
    try:
        if options.html is not None and options.html.exists() and not options.overwrite:
            raise ValueError(f"{options.html} exists: name another file, or give --overwrite")
        compared = _compare(options)
        result, code = compared.result(options.max_drop)
        if options.html is not None:
            write_atomically(options.html, compared.page(result).encode())
    except (ValueError, OSError) as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    print(table(compared.rows))
    for note in compared.notes:
        print(note)
    print(result)
    if options.html is not None:
        print(f"Wrote {options.html}")
    return code


def _compare(options: argparse.Namespace) -> _Comparison:
    """Compare the two runs.

    :raises ValueError: when they cannot be compared.
    """
    many = [is_run_of_many(path) for path in (options.before, options.after)]
    if many[0] != many[1]:
        raise ValueError(
            f"{options.before} and {options.after}: one is a run of many bags, the other of one"
        )
    return _compare_bags(options) if many[0] else _compare_bag(options)


def _compare_bag(options: argparse.Namespace) -> _Comparison:
    before, after = read_metrics(options.before), read_metrics(options.after)
    rows = rows_of_bag(before, after, options.max_drop)
    notes = [*_agreement(options.before, options.after)]
    sources = [document.get("source", {}).get("sha256") for document in (before, after)]
    if sources[0] != sources[1]:
        notes.append("note: the two runs are of different recordings")
    return _Comparison(rows, notes, lambda result: render_bag(rows, before, after, result, notes))


def _compare_bags(options: argparse.Namespace) -> _Comparison:
    runs = paired(read_run(options.before), read_run(options.after))
    old, new = sums_matrix(runs.before), sums_matrix(runs.after)
    rows = rows_of_bags(totals(old), differences(old, new), options.max_drop)
    folders = [p if p.is_dir() else p.parent for p in (options.before, options.after)]
    notes = [f"bags in both runs: {len(runs.names)}", *runs.notes]
    return _Comparison(
        rows,
        notes,
        lambda result: render_bags(rows, runs, (folders[0], folders[1]), options.html, result),
        runs.missing,
    )


def _agreement(before: Path, after: Path) -> list[str]:
    files = [(p if p.is_dir() else p.parent) / EMOTIONS_FILE for p in (before, after)]
    if not all(file.is_file() for file in files):
        return []
    agreement = label_agreement(*(dict(read_emotions(file)) for file in files))
    if not agreement.frames:
        return ["the two emotions.csv have no frame in common"]
    return [
        f"same labels on {100 * agreement.share:.2f} % of the {agreement.frames} frames in both "
        "emotions.csv"
    ]


def _parser() -> argparse.ArgumentParser:
    gated = ", ".join(figure.name for figure in FIGURES if figure.gated)
    parser = argparse.ArgumentParser(
        prog="compare",
        description=__doc__,
        epilog=f"Gated: {gated}; a gated figure or bag that is missing counts as worse. Exit "
        "code: 0 not worse, 1 worse, 2 cannot be compared, or nothing gated in either.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "before",
        type=Path,
        help="run before the change: its folder, its metrics.json, or the run.json of many bags",
    )
    parser.add_argument("after", type=Path, help="run after the change, likewise")
    parser.add_argument(
        "--max-drop",
        type=checked("max_drop", float, Option("", minimum=0.0, maximum=100.0)),
        default=0.5,
        help="allowed loss in percentage points (default: %(default)s)",
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a page")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    return parser
