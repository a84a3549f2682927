# SPDX-License-Identifier: Apache-2.0
"""Print tables and write the page of measured figures."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fer_evaluation.report import provenance

_INTRODUCTION = """# Measured figures

The only page of measured figures, beside the [models' cards](../models/README.md). All before
[Other commands](#other-commands) is written by `make bench BENCH_ARGS='{arguments}'`.

| | |
|---|---|
| Date | {date} |
| Revision | `{revision}` |
| Processor | {processor}, {cpus} cores |
| System | {system}, Python {python} |

Times are medians of interleaved calls in one run: other load on the machine
affects all alike.
Ours runs on one thread, peers with their defaults. Compare ratios, not milliseconds of
different machines.
"""
_OTHER_COMMANDS = "## Other commands\n"
"""Heading of the part that is kept: figures that other commands print."""


class Page:
    """Collect measurements; print each table immediately."""

    def __init__(self) -> None:
        self._console = Console(width=None if Console().is_terminal else 150)
        self._parts: list[str] = []

    def table(
        self, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], command: str
    ) -> None:
        """Add a table and the command that reproduces it."""
        lines = [list(row) for row in rows]
        table = Table(title=title)
        for column in columns:
            table.add_column(column, justify="right")
        for line in lines:
            table.add_row(*line)
        self._console.print(table)
        heading = title.split(":")[0].split(",")[0]
        cells = [columns, ["---"] * len(columns), *lines]
        body = "\n".join("| " + " | ".join(cell or " " for cell in line) + " |" for line in cells)
        self._parts.append(f"## {heading}\n\n{title}.\n\n{body}\n\n`{command}`\n")

    def text(self, text: str) -> None:
        """Add a sentence."""
        self._console.print(text)
        self._parts.append(f"{text}\n")

    def write(self, path: Path, arguments: str) -> None:
        """Write the page as Markdown; keep what stands under ``Other commands``.

        :param arguments: of the benchmark that measured the rest.
        """
        host = provenance.host()
        introduction = _INTRODUCTION.format(
            arguments=arguments,
            date=host["evaluated_at"][:10],
            revision=(host["git_revision"] or "unknown")[:12],
            **{key: host[key] for key in ("processor", "cpus", "system", "python")},
        )
        _, heading, kept = (path.read_text(encoding="utf-8") if path.exists() else "").partition(
            _OTHER_COMMANDS
        )
        path.write_text("\n".join([introduction, *self._parts, heading + kept]), encoding="utf-8")
        self._console.print(f"Wrote {path}")
