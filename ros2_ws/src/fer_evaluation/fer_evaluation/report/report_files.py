# SPDX-License-Identifier: Apache-2.0
"""Write the report of a run: ``metrics.json`` and ``report.html``."""

from __future__ import annotations

from .html_report import render_report
from .output_folder import METRICS_FILE, REPORT_FILE, OutputFolder
from .results import Results


def write_report(folder: OutputFolder, results: Results) -> None:
    """Write both files."""
    folder.path(METRICS_FILE).write_text(results.as_json(), encoding="utf-8")
    folder.path(REPORT_FILE).write_text(render_report(results), encoding="utf-8")
