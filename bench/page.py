# SPDX-License-Identifier: Apache-2.0
"""Print tables and write a page with date, machine and revision."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fer_evaluation.report import provenance

_INTRODUCTION = """# Measured figures

Written by `make bench BENCH_ARGS='{arguments}'`; no figure on this page is typed by hand.

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
        """Write the page as Markdown.

        :param arguments: of the benchmark that measured all of it.
        """
        host = provenance.host()
        introduction = _INTRODUCTION.format(
            arguments=arguments,
            date=host["evaluated_at"][:10],
            revision=(host["git_revision"] or "unknown")[:12],
            **{key: host[key] for key in ("processor", "cpus", "system", "python")},
        )
        path.write_text("\n".join([introduction, *self._parts]), encoding="utf-8")
        self._console.print(f"Wrote {path}")
