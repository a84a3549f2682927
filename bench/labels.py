# SPDX-License-Identifier: Apache-2.0
"""Compare ways to keep a label steady: needless changes against delay."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_perception.emotions import EMOTIONS
from fer_perception.face import RgbImage
from fer_perception.pipeline import FramePipeline
from fer_perception.recognition.alignment import align_faces
from fer_perception.tracking.smoothing import ScoreSmoother

from .tested_model import pipeline_of_the_node

_RATE_HZ: Final = 10.0
_STILL_S: Final = 10.0
_SWITCH_S: Final = 3.0
_NOISE: Final = 4.0
_FLICKER: Final = 1.5
_JITTER_PX: Final = 1.0
_MAX_SWITCHES: Final = 200
_MIN_FACE_PX: Final = 30.0
_WIDTH_PX: Final = 640

Scores = NDArray[np.float32]
"""N x 7, one row for each recognition."""


@dataclass(frozen=True)
class Way:
    """A way to make labels of scores.

    :ivar margin: the label follows the average when that leads by more; None for the node's.
    """

    name: str
    time_constant_s: float
    margin: float | None = None

    def labels(self, scores: Scores) -> list[str]:
        """Return the label after each row."""
        smoother, label, labels = ScoreSmoother(self.time_constant_s), "", []
        for number, row in enumerate(scores):
            average = smoother.update("", row, number / _RATE_HZ)
            if self.margin is None:
                label = smoother.label("")
            else:
                best = EMOTIONS[int(average.argmax())]
                lead = average.max() - (average[EMOTIONS.index(label)] if label else -math.inf)
                label = best if lead > self.margin else label
            labels.append(label)
        return labels


WAYS: Final = (
    Way("highest average", 0.5, 0.0),
    *(Way(f"average leads by {margin}", 0.5, margin) for margin in (0.1, 0.2, 0.3)),
    *(Way(f"average of 0.3 s leads by {margin}", 0.3, margin) for margin in (0.1, 0.2, 0.3)),
    *(Way(f"model, time constant {tau} s", tau) for tau in (0.25, 0.5, 1.0)),
)


@dataclass(frozen=True)
class LabelRow:
    """Result of one way.

    :ivar clip_changes: label changes of each clip.
    :ivar still_changes: label changes a minute of faces that do not change.
    :ivar median_s: time from a change of the picture to that of the label.
    :ivar p90_s: the same, 90th percentile; infinite when the label did not follow.
    """

    way: Way
    clip_changes: dict[str, int]
    still_changes: float
    median_s: float
    p90_s: float


def measure(clips: Sequence[Path], photographs: Sequence[Path]) -> list[LabelRow]:
    """Measure every way on clips and on noisy still photographs.

    A change is a still face that is replaced by one of another label. Half of the time between
    two recognitions is added to its delay.

    :raises ValueError: when no two photographs differ in their label.
    """
    pipeline = pipeline_of_the_node({})
    of_clips = {clip.name: _clip_scores(pipeline, clip) for clip in clips}
    stills = [scores for photo in photographs for scores in _still_scores(pipeline, photo)]
    clear = [(s, label) for s in stills if (label := _clear_label(s))]
    changes = [(a, b, label) for (a, old), (b, label) in product(clear, clear) if old != label]
    if not changes:
        raise ValueError("no two photographs differ clearly in their label: give more of them")
    chosen = np.random.default_rng(0).permutation(len(changes))[:_MAX_SWITCHES]
    rows = []
    for way in WAYS:
        delays = sorted(_delay_s(way, *changes[i]) for i in chosen)
        still = sum(_changes(way.labels(scores)) for scores in stills)
        rows.append(
            LabelRow(
                way,
                {name: _changes(way.labels(scores)) for name, scores in of_clips.items()},
                60.0 * still / (len(stills) * _STILL_S),
                statistics.median(delays),
                delays[int(0.9 * len(delays))],
            )
        )
    return rows


def _changes(labels: Sequence[str]) -> int:
    return sum(a != b for a, b in pairwise(labels))


def _delay_s(way: Way, before: Scores, after: Scores, label: str) -> float:
    count = round(_SWITCH_S * _RATE_HZ)
    labels = way.labels(np.concatenate([before[:count], after]))[count:]
    return (labels.index(label) + 0.5) / _RATE_HZ if label in labels else math.inf


def _clear_label(scores: Scores) -> str:
    """Return the label that a face has in nearly all pictures."""
    best = scores.argmax(axis=1)
    label = int(np.bincount(best).argmax())
    is_clear = np.mean(best == label) > 0.95 and np.median(scores[:, label]) > 0.55
    return EMOTIONS[label] if is_clear else ""


def _clip_scores(pipeline: FramePipeline, clip: Path) -> Scores:
    """Return the scores of the largest face, at the node's rate."""
    rows, next_s = [], 0.0
    for image, stamp_s in frames_of(clip):
        if stamp_s >= next_s - 1e-6:
            next_s = stamp_s + 1.0 / _RATE_HZ
            rows += [face.scores for face in pipeline.recognize(image)[:1]]
    return np.array(rows)


def _still_scores(pipeline: FramePipeline, photo: Path) -> Iterator[Scores]:
    """Yield each face's scores under noise, flicker and a jittering box."""
    picture = cv2.imread(str(photo))
    if picture is None:
        raise ValueError(f"{photo} cannot be read as a picture")
    image = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    scale = min(1.0, _WIDTH_PX / image.shape[1])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = [e.face for e in pipeline.recognize(image) if e.face.box.area >= _MIN_FACE_PX**2]
    if not found:
        return
    rng = np.random.default_rng(0)
    rows = []
    noise = rng.normal(0.0, _NOISE, image.shape).astype(np.int16)
    for _ in range(round(_STILL_S * _RATE_HZ)):
        shift = rng.integers(0, image.shape[:2]).tolist()
        moved_noise = np.roll(noise, shift, axis=(0, 1)) + round(rng.normal(0.0, _FLICKER))
        noisy = np.clip(image + moved_noise, 0, 255).astype(np.uint8)
        moved = [face.moved(*rng.normal(0.0, _JITTER_PX, 2).tolist()) for face in found]
        rows.append(pipeline.recognizer.recognize(align_faces(noisy, moved)))
    yield from np.array(rows).swapaxes(0, 1)


def frames_of(clip: Path) -> Iterator[tuple[RgbImage, float]]:
    """Yield (image, time in seconds) of each frame of a clip."""
    capture = cv2.VideoCapture(str(clip))
    rate_hz = capture.get(cv2.CAP_PROP_FPS) or 30.0
    count = 0
    while True:
        there, frame = capture.read()
        if not there:
            return
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False), count / rate_hz
        count += 1
