# SPDX-License-Identifier: Apache-2.0
"""Evaluates folders of labelled pictures, with the same figures and report as a bag."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_perception.emotions import EMOTIONS
from fer_perception.face import BoundingBox, Face
from fer_perception.face_emotion import FaceEmotion
from fer_perception.pipeline import EmotionPipeline
from fer_perception.settings import PerceptionSettings, build_pipeline

from .datasets.class_folders import (
    as_crop,
    class_files,
    read_picture,
    shows_only_a_face,
)
from .datasets.evaluation_sets import EVALUATION_SETS
from .datasets.fer2013_reader import read_fer2013
from .report import provenance
from .report.output_folder import OutputFolder
from .report.results import Results, model_of, timings
from .scoring.emotions_csv import EMOTIONS_FILE, EmotionsCsv
from .scoring.ground_truth import TrueFace
from .scoring.latency_histogram import LatencyHistogram
from .scoring.matching import FaceMatch
from .scoring.predicted_face import SeenFrame, seen_frame
from .scoring.scorer import Scoring


@dataclass(frozen=True, eq=False)
class Picture:
    """A labelled picture.

    :ivar name: tells it apart, for example its path in the folder.
    :ivar pixels: H x W x 3, RGB.
    """

    name: str
    label: str
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class PictureSet:
    """Labelled pictures.

    :ivar name: of the layout, and of the split where there are several.
    :ivar count: pictures.
    """

    name: str
    count: int
    pictures: Iterator[Picture]
    files: tuple[Path, ...]


def open_pictures(folder: Path) -> PictureSet:
    """Open a folder of pictures.

    :raises FileNotFoundError: when it has none of the known layouts.
    :raises ValueError: when FER2013 in it cannot be read.
    """
    named = class_files(folder)
    if named:
        files = tuple(path for path, _ in named)
        return PictureSet("class folders", len(named), _read_all(named, folder), files)
    try:
        data = read_fer2013(folder)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{folder} is neither a bag nor pictures in folders named {', '.join(EMOTIONS)}, nor "
            f"FER2013: {error}"
        ) from None
    report_set = EVALUATION_SETS[0]
    rows, labels = report_set.rows_and_labels(data)
    ours = [(int(r), int(n)) for r, n in zip(rows, labels, strict=True) if n < len(EMOTIONS)]
    pictures = (
        Picture(f"row {row}", EMOTIONS[label], np.repeat(data.images[row][..., None], 3, axis=2))
        for row, label in ours
    )
    files = tuple(sorted(f for f in folder.iterdir() if f.is_file()))
    return PictureSet(f"FER2013 with FER+, set {report_set.name!r}", len(ours), pictures, files)


def _read_all(named: list[tuple[Path, str]], folder: Path) -> Iterator[Picture]:
    for path, label in named:
        yield Picture(str(path.relative_to(folder)), label, read_picture(path))


def evaluate_dataset(
    folder: Path, settings: PerceptionSettings, out: OutputFolder, quiet: bool = False
) -> Results:
    """Evaluate the pictures in ``folder`` and write the table of answers.

    :raises FileNotFoundError: see :func:`open_pictures`; likewise ValueError.
    """
    pictures = open_pictures(folder)
    pipeline = build_pipeline(settings)
    scoring, latencies = Scoring(), LatencyHistogram()
    start_s = time.perf_counter()
    with out.path(EMOTIONS_FILE).open("w", encoding="utf-8", newline="") as file:
        table = EmotionsCsv(file)
        progress = tqdm(pictures.pictures, total=pictures.count, unit="picture", disable=quiet)
        for number, picture in enumerate(progress):
            frame, latency_s = _look_at(picture, number, pipeline, settings.min_confidence)
            latencies.add(latency_s)
            true = TrueFace(picture.name, picture.label, None, number)
            match = FaceMatch(true, frame.faces[0] if frame.faces else None)
            scoring.add_picture(match, number)
            table.add(frame, [match])
    wall_s = time.perf_counter() - start_s
    return Results(
        source={
            "kind": "folder",
            "name": folder.name,
            "layout": pictures.name,
            "sha256": provenance.sha256_of(pictures.files),
        },
        model=model_of(pipeline),
        settings=asdict(settings),
        metrics=scoring.metrics(),
        scoring=scoring,
        timings=timings(latencies, pictures.count, 0.0, wall_s),
        latencies=latencies,
        host=provenance.host(),
        notes=(),
    )


def _look_at(
    picture: Picture, number: int, pipeline: EmotionPipeline, min_confidence: float
) -> tuple[SeenFrame, float]:
    """Return the largest face, and the time that it took [s]."""
    height, width = picture.pixels.shape[:2]
    start_s = time.perf_counter()
    if shows_only_a_face(picture.pixels):
        emotions = [_whole_picture(picture.pixels, pipeline)]
    else:
        emotions = pipeline.recognize(picture.pixels)[:1]
    latency_s = time.perf_counter() - start_s
    return seen_frame(number, (width, height), emotions, min_confidence), latency_s


def _whole_picture(pixels: NDArray[np.uint8], pipeline: EmotionPipeline) -> FaceEmotion:
    """Return the expression of a picture that is a face, as the network was trained on."""
    [scores] = pipeline.recognizer.recognize(as_crop(pixels)[None])
    height, width = pixels.shape[:2]
    box = BoundingBox(0.0, 0.0, float(width), float(height))
    return FaceEmotion("", Face(box, 1.0, np.full((5, 2), np.nan, np.float32)), scores)
