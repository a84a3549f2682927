# SPDX-License-Identifier: Apache-2.0
"""Runs all benchmarks and prints their tables: ``python -m bench.run``."""

import os

from rich.console import Console
from rich.table import Table

from . import detection, graph


def _detection_table() -> Table:
    table = Table(title="Detection at 640x480, medians in ms, interleaved in one run")
    for column in (
        "faces",
        "DeepFace mtcnn, align",
        "ours, min face 40",
        "ratio",
        "ours, min face 20",
        "ratio",
        "same faces",
    ):
        table.add_column(column, justify="right")
    for row in detection.measure():
        forty, twenty = row.ours_ms[40], row.ours_ms[20]
        table.add_row(
            str(row.faces),
            f"{row.deepface_ms:.1f}",
            f"{forty:.1f}",
            f"{row.deepface_ms / forty:.1f}x",
            f"{twenty:.1f}",
            f"{row.deepface_ms / twenty:.1f}x",
            "yes" if row.same_faces else "NO",
        )
    return table


def _graph_table() -> Table:
    table = Table(title="Camera process to EmotionArray, one face, best effort at 30 Hz")
    for column in (
        "size",
        "sent",
        "reached the node",
        "answered",
        "answered/s",
        "latency p50 ms",
        "p95 ms",
    ):
        table.add_column(column, justify="right")
    for row in graph.measure():
        table.add_row(
            row.size,
            str(row.sent),
            str(row.received),
            str(row.answered),
            f"{row.answered_hz:.1f}",
            f"{row.latency_p50_ms:.1f}",
            f"{row.latency_p95_ms:.1f}",
        )
    return table


def main() -> None:
    """Print one table after the other."""
    console = Console()
    console.print(f"{os.cpu_count()} CPU cores")
    console.print(_graph_table())
    console.print(_detection_table())


if __name__ == "__main__":
    main()
