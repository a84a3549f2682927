# SPDX-License-Identifier: Apache-2.0
"""Accuracy over time a face: our models beside what a user could pick instead."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fer_evaluation.datasets.evaluation_sets import REPORT
from fer_evaluation.datasets.fer2013_reader import read_fer2013
from fer_perception.pipeline import FramePipeline
from fer_perception.recognition.installed_models import list_models
from fer_perception.recognition.recognizer import EmotionRecognizer

from .frames import Pipeline
from .peers import PEERS, PeerProcess, running
from .stopwatch import Clock, Time, timed
from .test_images import with_faces
from .tested_model import MODELS

_CHUNK: Final = 200
_FRAME: Final = (640, 480, 1)
_FRAME_ROUNDS: Final = 7

_Classify: TypeAlias = Callable[[Path, NDArray[np.uint8]], tuple[list[Time], NDArray[np.int64]]]


@dataclass(frozen=True)
class Point:
    """A way to recognise an expression.

    :ivar is_ours: whether it is one of our models.
    :ivar accuracy: share of the pictures of ``report`` with the right label.
    :ivar balanced: mean recall.
    :ivar face_ms: median time of one picture, without detection.
    :ivar frame_ms: median time of a frame of 640x480 with one face, detection included; None
        where it finds no faces itself.
    """

    name: str
    is_ours: bool
    accuracy: float
    balanced: float
    face_ms: float
    frame_ms: float | None


@dataclass(frozen=True)
class Frontier:
    """The measurement.

    :ivar pictures: of ``report``, of which accuracy is measured.
    :ivar missing: sentences, one for each peer that was not measured.
    """

    points: list[Point]
    pictures: int
    missing: list[str]


@dataclass(frozen=True)
class _Entry:
    name: str
    is_ours: bool
    classify: _Classify
    frame: Callable[[Path, NDArray[np.uint8]], Time] | None


def on_the_frontier(points: Iterable[Point]) -> list[Point]:
    """Return the points that no other beats in both time and accuracy, fastest first."""
    chosen: list[Point] = []
    for point in sorted(points, key=lambda p: (p.face_ms, -p.accuracy)):
        if not chosen or point.accuracy > chosen[-1].accuracy:
            chosen.append(point)
    return chosen


def _ours(name: str) -> _Entry:
    pipeline: FramePipeline = Pipeline(MODELS / name, followed=False).build()
    recognizer: EmotionRecognizer = pipeline.recognizer

    def classify(path: Path, crops: NDArray[np.uint8]) -> tuple[list[Time], NDArray[np.int64]]:
        times = [timed(recognizer.recognize, crop[None]) for crop in crops]
        return times, recognizer.recognize(crops).argmax(axis=1)

    return _Entry(
        recognizer.model_id.partition("@")[0] + (" int8" if "int8" in recognizer.model_id else ""),
        True,
        classify,
        lambda path, image: timed(pipeline.recognize, image),
    )


def _theirs(process: PeerProcess, detector: PeerProcess | None) -> _Entry:
    """Return a peer; one that finds no faces itself gets those of ``detector``."""
    finder = process if process.peer.detects else detector
    name = process.version
    if finder is not process and finder is not None:
        name = f"{finder.peer.title} + {process.peer.title}"

    def frame(path: Path, image: NDArray[np.uint8]) -> Time:
        assert finder is not None
        return finder.detect(path)[0]

    return _Entry(
        name,
        False,
        lambda path, crops: process.classify(path),
        None if finder is None else frame,
    )


def _pictures(data: Path, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return pictures of ``report`` and their labels, evenly drawn.

    :param count: 0 for all.
    """
    fer2013 = read_fer2013(data)
    rows, labels = REPORT.rows_and_labels(fer2013)
    if count and count < len(rows):
        chosen = np.linspace(0, len(rows) - 1, count).round().astype(np.int64)
        rows, labels = rows[chosen], labels[chosen]
    return fer2013.images[rows], labels


def measure(data: Path, methods: Sequence[str], count: int, clock: Clock) -> Frontier:
    """Measure all models and peers, in turn on every few pictures.

    :param data: folder of FER2013 with FER+.
    :param methods: of the peers.
    :param count: pictures of ``report`` to take; 0 for all.
    """
    crops, labels = _pictures(data, count)
    detector_only = [peer for peer in PEERS if peer.method == "yunet"]
    chosen = [peer for peer in PEERS if peer.classifies and peer.method in methods]
    with running([*chosen, *detector_only]) as peers:
        yunet = next((p for p in peers.running if not p.peer.classifies), None)
        entries = [_ours(name) for name in list_models([MODELS])]
        entries += [_theirs(p, yunet) for p in peers.running if p.peer.classifies]
        points = _measure(entries, crops, labels, clock)
    return Frontier(points, len(crops), list(peers.missing))


def _measure(
    entries: Sequence[_Entry],
    crops: NDArray[np.uint8],
    labels: NDArray[np.int64],
    clock: Clock,
) -> list[Point]:
    times: list[list[Time]] = [[] for _ in entries]
    found: list[list[NDArray[np.int64]]] = [[] for _ in entries]
    frames: list[list[Time]] = [[] for _ in entries]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "crops.npy")
        for first in range(0, len(crops), _CHUNK):
            chunk = crops[first : first + _CHUNK]
            np.save(path, chunk)
            for entry, entry_times, entry_found in zip(entries, times, found, strict=True):
                elapsed, classes = entry.classify(path, chunk)
                entry_times.extend(elapsed)
                entry_found.append(classes)
        image = with_faces(*_FRAME)
        np.save(path, image)
        for round_ in range(-1, _FRAME_ROUNDS):
            for entry, entry_frames in zip(entries, frames, strict=True):
                if entry.frame is not None:
                    elapsed_frame = entry.frame(path, image)
                    if round_ >= 0:  # after a warm-up
                        entry_frames.append(elapsed_frame)
    points = []
    for entry, entry_times, entry_found, entry_frames in zip(
        entries, times, found, frames, strict=True
    ):
        right = np.concatenate(entry_found) == labels
        recalls = [right[labels == label].mean() for label in np.unique(labels)]
        face_ms = statistics.median(each.by(clock) for each in entry_times)
        frame_ms = None
        if entry_frames:
            frame_ms = statistics.median(each.by(clock) for each in entry_frames)
        points.append(
            Point(
                entry.name,
                entry.is_ours,
                float(right.mean()),
                float(np.mean(recalls)),
                face_ms,
                frame_ms,
            )
        )
    return points


def draw(points: Sequence[Point], path: Path, clock: Clock) -> None:
    """Write the plot of accuracy over time a face."""
    figure = Figure(figsize=(8.0, 4.2), layout="constrained")
    axes = figure.subplots()
    for is_ours, color, label in ((True, "tab:blue", "ours"), (False, "tab:orange", "others")):
        group = [point for point in points if point.is_ours == is_ours]
        axes.scatter(
            [p.face_ms for p in group], [100 * p.accuracy for p in group], color=color, label=label
        )
    best = on_the_frontier(points)
    axes.step(
        [point.face_ms for point in best],
        [100 * point.accuracy for point in best],
        where="post",
        color="grey",
        linewidth=1,
        label="frontier",
        zorder=0,
    )
    for point in points:
        axes.annotate(
            point.name,
            (point.face_ms, 100 * point.accuracy),
            xytext=(5, 4),
            textcoords="offset points",
            fontsize=8,
        )
    axes.set_xscale("log")
    axes.margins(x=0.25, y=0.1)
    axes.set_xlabel(f"ms a face, without detection ({clock} time)")
    axes.set_ylabel("accuracy on report, %")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
