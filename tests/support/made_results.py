# SPDX-License-Identifier: Apache-2.0
"""Results of runs that no bag was read for, and their faces."""

import numpy as np

from fer_evaluation.report.results import Results, timings
from fer_evaluation.scoring.latency_histogram import LatencyHistogram
from fer_evaluation.scoring.predicted_face import PredictedFace, PredictedFrame
from fer_evaluation.scoring.scorer import Scoring
from fer_perception.emotions import EMOTIONS
from fer_perception.face import BoundingBox

BOX = BoundingBox(10.0, 10.0, 40.0, 40.0)


def face(face_id, label, box=BOX, confidence=0.9):
    """Return a predicted face; "unknown" has equal scores."""
    scores = np.full(7, (1.0 - confidence) / 6.0, np.float32)
    if label in EMOTIONS:
        scores[EMOTIONS.index(label)] = confidence
    return PredictedFace(face_id, box, label, scores)


def results_of(frames, truth=None):
    """Return the results of (seconds, faces) frames."""
    scoring, latencies = Scoring(truth), LatencyHistogram()
    for seconds, faces in frames:
        scoring.add(PredictedFrame(round(seconds * 1e9), (640, 480), tuple(faces)))
        latencies.add(0.01)
    metrics = scoring.metrics()
    return Results(
        source={"kind": "bag", "name": "made", "sha256": "0" * 64},
        model={"model_id": "made"},
        settings={},
        metrics=metrics,
        scoring=scoring,
        timings=timings(latencies, metrics.frames, metrics.duration_s, 1.0),
        latencies=latencies,
        host={},
    )


def many_ids(count):
    """Return frames of ``count`` ids, three at once, the later ones seen longer."""
    return [
        (0.1 * n, [face(f"f{m}", EMOTIONS[m % 7]) for m in range(n // 3, n // 3 + 3) if m < count])
        for n in range(3 * count)
    ]
