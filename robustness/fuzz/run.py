# SPDX-License-Identifier: Apache-2.0
"""Run all targets and print a table: ``python -m robustness.fuzz.run``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from robustness.soak.flashes import MAX_FLASHES

from . import flash_table, live_nodes, wire_table
from .campaign import Report, in_short, run
from .targets import TARGETS

# Live targets last: they leave threads, and the others are forked.
_NAMES = (*TARGETS, live_nodes.NAME)
_CONSOLE = Console(width=None if Console().is_terminal else 130, soft_wrap=True)


def table(reports: Iterable[Report]) -> Table:
    """Return the results as a table."""
    shown = Table(title="Hostile inputs")
    for column in ("target", "inputs", "refused", "slowest ms", "memory KiB", "crashes", "hangs"):
        shown.add_column(column, justify="left" if column == "target" else "right")
    total = Report("all")
    for report in [*reports, total]:
        kinds = [failure.kind for failure in report.failures]
        shown.add_row(
            report.target,
            str(report.inputs),
            str(report.refused),
            f"{1e3 * report.longest_s:.0f}",
            f"{report.growth_kib:+d}",
            str(kinds.count("crash")),
            str(kinds.count("hang")),
            end_section=report is not total,
        )
        if report is not total:
            total.inputs += report.inputs
            total.refused += report.refused
            total.longest_s = max(total.longest_s, report.longest_s)
            total.growth_kib = max(total.growth_kib, report.growth_kib)
            total.failures += report.failures
    return shown


def main(args: list[str] | None = None) -> int:
    """Run the command line; return 1 on any failure."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[[], *_NAMES], help="default: all")
    parser.add_argument("--share", type=float, default=1.0, help="share of the inputs to run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument(
        "--inputs", type=int, help="number of inputs per target, instead of --share"
    )
    options = parser.parse_args(args)

    def inputs(whole: int) -> int:
        return options.inputs or max(1, round(whole * options.share))

    reports: list[Report] = []
    with tempfile.TemporaryDirectory(prefix="fuzz_") as folder:
        for name in options.targets or _NAMES:
            if name == live_nodes.NAME:
                report = live_nodes.run(inputs(live_nodes.INPUTS), options.seed)
            else:
                target = TARGETS[name]
                count = inputs(target.inputs)
                report = run(target, count, Path(folder), options.seed, options.first)
            print(f"{name}: {report.wall_s:.0f} s", file=sys.stderr, flush=True)
            reports.append(report)
    _CONSOLE.print(table(reports))
    flashes = 0
    if flash_table.NAME in (options.targets or _NAMES):
        modelled, flashes = flash_table.table(
            options.seed, max(1, round(flash_table.PLANS * options.share))
        )
        _CONSOLE.print(modelled)
        phase_s = wire_table.PHASE_S * options.share
        if options.inputs is None and phase_s >= wire_table.SHORTEST_PHASE_S:
            with tempfile.TemporaryDirectory(prefix="wire_") as folder:
                Path(folder).chmod(0o755)  # olad runs as nobody
                rows = wire_table.measure(Path(folder), options.seed, phase_s)
            received, flashes_on_the_wire = wire_table.table(rows)
            _CONSOLE.print(received)
            flashes = max(flashes, flashes_on_the_wire)
        else:
            print("flashes at real counterparts: not tried by a small share of the inputs")
    failed = [(report.target, failure) for report in reports for failure in report.failures]
    for name, failure in failed:
        again = (
            f"python -m robustness.fuzz.run {name} --seed {options.seed} --first {failure.number}"
        )
        print(f"\n{name}: {failure.kind}: {in_short(failure)}\n  {again} --inputs 1")
        print(failure.text)
    return 1 if failed or flashes > MAX_FLASHES else 0


if __name__ == "__main__":
    sys.exit(main())
