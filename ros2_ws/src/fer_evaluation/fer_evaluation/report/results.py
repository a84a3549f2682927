# SPDX-License-Identifier: Apache-2.0
"""The results of a run on disk: ``metrics.json`` and ``report.html``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from fer_perception.pipeline import EmotionPipeline

from ..scoring.latency_histogram import LatencyHistogram
from ..scoring.scorer import Metrics, Scoring
from .html_report import render_report
from .output_folder import OutputFolder

METRICS_FILE: Final = "metrics.json"
REPORT_FILE: Final = "report.html"


@dataclass(frozen=True)
class Timings:
    """How fast it was.

    :ivar latency_p50_ms: median time for a frame; likewise p95, p99.
    :ivar frames_per_s: frames handled a second of the run.
    :ivar times_real_time: length of the recording by that of the run.
    """

    latency_p50_ms: float | None
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    frames_per_s: float
    times_real_time: float
    wall_s: float


def timings(latencies: LatencyHistogram, frames: int, recorded_s: float, wall_s: float) -> Timings:
    """Return how fast a run of ``wall_s`` seconds was."""

    def percentile_ms(percent: float) -> float | None:
        seconds = latencies.percentile_s(percent)
        return None if seconds is None else round(1e3 * seconds, 3)

    elapsed_s = max(wall_s, 1e-9)
    return Timings(
        percentile_ms(50),
        percentile_ms(95),
        percentile_ms(99),
        round(frames / elapsed_s, 2),
        round(recorded_s / elapsed_s, 2),
        round(wall_s, 3),
    )


@dataclass(frozen=True, eq=False)
class Results:
    """All that is to be told of a run.

    :ivar source: what was evaluated: kind, name, sha256 and so on.
    :ivar model: model_id and sha256.
    :ivar settings: of the perception and of the scoring.
    :ivar host: what may differ between two runs, see :mod:`~.provenance`.
    :ivar notes: what the report says besides, for example why there is no lamp.
    :ivar thumbnails: face id -> ``data:`` URI.
    """

    source: Mapping[str, Any]
    model: Mapping[str, Any]
    settings: Mapping[str, Any]
    metrics: Metrics
    scoring: Scoring
    timings: Timings
    latencies: LatencyHistogram
    host: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    thumbnails: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> str:
        """Return ``metrics.json``: equal for equal runs, but for the part "host"."""
        document = {
            "source": dict(self.source),
            "model": dict(self.model),
            "settings": dict(self.settings),
            "metrics": asdict(self.metrics),
            "warnings": list(self.warnings),
            "host": {**self.host, "timings": asdict(self.timings)},
        }
        return json.dumps(document, indent=2) + "\n"


def model_of(pipeline: EmotionPipeline) -> dict[str, str]:
    """Return what is told of a pipeline's model."""
    return {"model_id": pipeline.recognizer.model_id, "sha256": pipeline.recognizer.sha256}


def write_results(folder: OutputFolder, results: Results) -> None:
    """Write ``metrics.json`` and ``report.html``."""
    folder.path(METRICS_FILE).write_text(results.as_json(), encoding="utf-8")
    folder.path(REPORT_FILE).write_text(render_report(results), encoding="utf-8")
