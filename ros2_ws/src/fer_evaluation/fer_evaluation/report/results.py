# SPDX-License-Identifier: Apache-2.0
"""The results of a run, and their form as ``metrics.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from fer_perception.pipeline import FramePipeline

from ..scoring.latency_histogram import LatencyHistogram
from ..scoring.mistakes import Mistake
from ..scoring.scorer import Metrics, Scoring
from .unused import Unused


@dataclass(frozen=True)
class Timings:
    """Speed of a run.

    :ivar latency_p50_ms: median time for a frame; likewise p95, p99.
    :ivar frames_per_s: frames handled per second of the run.
    :ivar times_real_time: duration of the recording divided by that of the run.
    :ivar wall_s: duration of the run.
    """

    latency_p50_ms: float | None
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    frames_per_s: float
    times_real_time: float
    wall_s: float


def timings(latencies: LatencyHistogram, frames: int, recorded_s: float, wall_s: float) -> Timings:
    """Return the speed of a run.

    :param recorded_s: duration of the recording [s].
    :param wall_s: duration of the run [s].
    """

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
    """All reported results of a run.

    :ivar source: the input: kind, name, sha256 and so on.
    :ivar model: model_id and sha256.
    :ivar settings: of the perception and of the scoring.
    :ivar host: properties that may differ between equal runs, see :mod:`~.provenance`.
    :ivar warnings: limits of the figures.
    :ivar unused: input that could not be used.
    :ivar notes: other remarks, for example why the lamp is missing.
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
    unused: tuple[Unused, ...] = ()
    notes: tuple[str, ...] = ()
    thumbnails: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> str:
        """Return ``metrics.json``, equal for equal runs except for its part "host"."""
        document = {
            "source": dict(self.source),
            "model": dict(self.model),
            "settings": dict(self.settings),
            "metrics": asdict(self.metrics),
            "sums": asdict(self.scoring.sums()),
            "mistakes": [self._mistake(mistake) for mistake in self.scoring.mistakes.worst()],
            "warnings": list(self.warnings),
            "unused": [asdict(unused) for unused in self.unused],
            "host": {**self.host, "timings": asdict(self.timings)},
        }
        return json.dumps(document, indent=2) + "\n"

    def _mistake(self, mistake: Mistake) -> dict[str, Any]:
        """Return a mistake with its time in the recording, or its picture."""
        start_ns = self.scoring.timeline.start_ns
        times: dict[str, Any] = {"picture": mistake.true_face_id}
        if start_ns is not None:
            times = {
                "face": mistake.true_face_id,
                "from_s": round(max(0, mistake.start_ns - start_ns) * 1e-9, 3),
                "to_s": round(max(0, mistake.end_ns - start_ns) * 1e-9, 3),
            }
        return {
            **times,
            "frames": mistake.frames,
            "ground_truth": mistake.true_label,
            "predicted": list(mistake.predicted),
            "confidence": round(mistake.confidence, 4),
            "weight": round(mistake.weight, 4),
        }


def model_of(pipeline: FramePipeline) -> dict[str, str]:
    """Return the identity of a pipeline's model."""
    return {"model_id": pipeline.recognizer.model_id, "sha256": pipeline.recognizer.sha256}
