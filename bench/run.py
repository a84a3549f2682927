# SPDX-License-Identifier: Apache-2.0
"""Runs all benchmarks and prints their tables: ``python -m bench.run``."""

import os
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from . import detection, graph


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(title=title)
    for column in columns:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def _detection_row(row: detection.DetectionRow) -> tuple[str, ...]:
    forty, twenty = row.ours_ms[40], row.ours_ms[20]
    return (
        str(row.faces),
        f"{row.deepface_ms:.1f}",
        f"{forty:.1f}",
        f"{row.deepface_ms / forty:.1f}x",
        f"{twenty:.1f}",
        f"{row.deepface_ms / twenty:.1f}x",
        "yes" if row.same_faces else "NO",
    )


def _graph_row(row: graph.GraphRow) -> tuple[str, ...]:
    return (
        row.size,
        str(row.sent),
        str(row.received),
        str(row.answered),
        f"{row.answered_hz:.1f}",
        f"{row.latency_p50_ms:.1f}",
        f"{row.latency_p95_ms:.1f}",
    )


def main() -> None:
    """Print one table after the other."""
    console = Console()
    console.print(f"{os.cpu_count()} CPU cores")
    console.print(
        _table(
            "Camera process to EmotionArray, one face, best effort at 30 Hz",
            [
                "size",
                "sent",
                "reached the node",
                "answered",
                "answered/s",
                "latency p50 ms",
                "p95 ms",
            ],
            map(_graph_row, graph.measure()),
        )
    )
    console.print(
        _table(
            "Detection at 640x480, medians in ms, interleaved in one run",
            [
                "faces",
                "DeepFace mtcnn, align",
                "ours, min face 40",
                "ratio",
                "ours, min face 20",
                "ratio",
                "same faces",
            ],
            map(_detection_row, detection.measure()),
        )
    )


if __name__ == "__main__":
    main()
