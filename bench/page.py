# SPDX-License-Identifier: Apache-2.0
"""Print tables and keep the page of measured figures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from fer_common.atomic_file import write_atomically
from fer_evaluation.report import provenance

_INTRODUCTION: Final = """# Measured figures

The only page of measured figures, beside the [models' cards](../models/README.md). All before
[Other commands](#other-commands) is written by `make bench`: each section states when, where and
with which revision it was measured (`+`: with changes that are not committed), and its command; a
part that is not run keeps its section. Times are medians of interleaved calls in one
run: other load on the machine affects all alike. Ours runs on one thread, others with their
defaults. Compare ratios, not milliseconds of different machines.
"""

_BEGIN: Final = "<!-- part: {part} -->"
_MARK: Final = re.compile(r"^<!-- part: (\w+) -->$", re.MULTILINE)


class Page:
    """Collect the sections of the parts; print each table immediately."""

    def __init__(self) -> None:
        # Tables of many columns need the room even where the output is a file.
        self._console = Console(width=None if Console().is_terminal else 150)
        self._heading = ""
        self._lines: list[str] = []
        # Once, as writing the page is a change itself.
        self._host = provenance.host()

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Add a table; the first one of a part gives its section the heading."""
        lines = [list(row) for row in rows]
        table = Table(title=title)
        for column in columns:
            table.add_column(column, justify="right")
        for line in lines:
            table.add_row(*line)
        self._console.print(table)
        self._heading = self._heading or title.split(":")[0].split(",")[0]
        cells = [columns, ["---"] * len(columns), *lines]
        body = "\n".join("| " + " | ".join(cell or " " for cell in line) + " |" for line in cells)
        self._lines.append(f"{title}.\n\n{body}\n")

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._console.print(text)
        self._lines.append(f"{text}\n")

    def end(self, path: Path | None, order: Sequence[str], part: str, command: str) -> None:
        """Write the section of a part in place of an earlier one.

        A part without a table was skipped: its earlier section is kept.

        :param path: of the page; None to keep none.
        :param order: of the parts on the page.
        :param command: that measures the part.
        """
        heading, self._heading = self._heading, ""
        body, self._lines = "\n".join(self._lines), []
        if path is None or not heading:
            return
        host, revision = self._host, self._host["git_revision"] or "unknown"
        origin = (
            f"{host['evaluated_at'][:10]}, revision `{revision[:12]}"
            f"{'+' * revision.endswith('+')}`, {host['processor']}, {host['cpus']} cores, "
            f"{host['system']}, Python {host['python']}: `{command}`"
        )
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        sections = sections_of(text) | {part: f"## {heading}\n\n{origin}\n\n{body}"}
        write_atomically(path, page_of(sections, order).encode())
        self._console.print(f"Wrote {heading!r} to {path}")


def sections_of(text: str) -> dict[str, str]:
    """Return the sections of a page, by part.

    :raises ValueError: when it is another text.
    """
    if text and not _MARK.search(text):
        raise ValueError("the page has no sections of make bench: give --page another path")
    pieces = _MARK.split(text)[1:]
    return {
        part: body.strip() + "\n" for part, body in zip(pieces[::2], pieces[1::2], strict=True)
    }


def page_of(sections: Mapping[str, str], order: Sequence[str]) -> str:
    """Return a page of ``sections``, those of unknown parts last."""
    known = [part for part in order if part in sections]
    parts = [*known, *(part for part in sections if part not in order)]
    marked = [f"{_BEGIN.format(part=part)}\n\n{sections[part]}" for part in parts]
    return "\n".join([_INTRODUCTION, *marked])
