# SPDX-License-Identifier: Apache-2.0
"""Evaluate folders of labelled pictures like a bag."""

from __future__ import annotations

import sys
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
from fer_perception.pipeline import FramePipeline
from fer_perception.settings import PerceptionSettings, build_pipeline

from .datasets.class_folders import (
    as_crop,
    check_class_names,
    class_files,
    other_files,
    pictures_beside,
    read_picture,
    shows_only_a_face,
)
from .datasets.evaluation_sets import EVALUATION_SETS
from .datasets.fer2013_reader import read_fer2013
from .evaluation import NoImageError
from .report import provenance
from .report.output_folder import OutputFolder
from .report.results import Results, model_of, timings
from .report.unused import Unused, by_name
from .scoring.emotions_csv import EMOTIONS_FILE, EmotionsCsv
from .scoring.ground_truth import GroundTruthFace
from .scoring.latency_histogram import LatencyHistogram
from .scoring.matching import FaceMatch
from .scoring.predicted_face import PredictedFrame, predicted_frame
from .scoring.scorer import Scoring


@dataclass(frozen=True, eq=False)
class Picture:
    """A labelled picture.

    :ivar name: unique, for example its path in the folder.
    :ivar number: its place in the folder, from 0.
    :ivar pixels: H x W x 3, RGB, uint8; None where it cannot be read.
    """

    name: str
    number: int
    label: str
    pixels: NDArray[np.uint8] | None


@dataclass(frozen=True, eq=False)
class PictureSet:
    """Labelled pictures.

    :ivar name: of the layout, and of the split where there are several.
    :ivar count: number of pictures.
    :ivar files: what they are read from.
    :ivar unused: files that are not pictures.
    """

    name: str
    count: int
    pictures: Iterator[Picture]
    files: tuple[Path, ...]
    unused: tuple[Unused, ...] = ()


def open_pictures(folder: Path) -> PictureSet:
    """Open a folder of pictures.

    :raises FileNotFoundError: when it has none of the known layouts.
    :raises ValueError: when a class is unknown, or FER2013 in it cannot be read.
    """
    named = class_files(folder)
    if named:
        check_class_names(folder)
        files = tuple(path for path, _ in named)
        kinds = other_files(folder)
        listed = ", ".join(f"{suffix} ({count})" for suffix, count in kinds.most_common())
        unused = by_name(
            "pictures",
            "they lie beside the class folders",
            [path.name for path in pictures_beside(folder)],
        )
        if kinds:
            unused.append(Unused("files", kinds.total(), f"they are not pictures: {listed}"))
        return PictureSet(
            "class folders", len(named), _read_all(named, folder), files, tuple(unused)
        )
    try:
        data = read_fer2013(folder)
    except FileNotFoundError as error:
        if beside := len(pictures_beside(folder)):
            raise FileNotFoundError(
                f"{folder} holds {beside} pictures without a class: sort them into folders named "
                f"{', '.join(EMOTIONS)}, or make a bag of them with 'make_bag {folder} BAG' to "
                "evaluate them as frames of a recording"
            ) from None
        raise FileNotFoundError(
            f"{folder} holds neither a bag, nor pictures in folders named {', '.join(EMOTIONS)}, "
            f"nor FER2013: {error}"
        ) from None
    report_set = EVALUATION_SETS[0]
    rows, labels = report_set.rows_and_labels(data)
    ours = [(int(r), int(n)) for r, n in zip(rows, labels, strict=True) if n < len(EMOTIONS)]
    pictures = (
        Picture(
            f"row {row}",
            number,
            EMOTIONS[label],
            np.repeat(data.images[row][..., None], 3, axis=2),
        )
        for number, (row, label) in enumerate(ours)
    )
    files = tuple(sorted(f for f in folder.iterdir() if f.is_file()))
    return PictureSet(f"FER2013 with FER+, set {report_set.name!r}", len(ours), pictures, files)


def _read_all(named: list[tuple[Path, str]], folder: Path) -> Iterator[Picture]:
    for number, (path, label) in enumerate(named):
        pixels = None
        try:
            pixels = read_picture(path)
        except ValueError as error:
            tqdm.write(f"warning: left out: {error}", file=sys.stderr)
        yield Picture(str(path.relative_to(folder)), number, label, pixels)


def evaluate_dataset(
    folder: Path, settings: PerceptionSettings, out: OutputFolder, quiet: bool = False
) -> Results:
    """Evaluate the pictures in ``folder`` and write the predictions.

    :raises FileNotFoundError: see :func:`open_pictures`; likewise ValueError.
    :raises NoImageError: when no picture can be read.
    """
    pictures = open_pictures(folder)
    pipeline = build_pipeline(settings)
    scoring, latencies = Scoring(), LatencyHistogram()
    unreadable: list[str] = []
    start_s = time.perf_counter()
    with out.path(EMOTIONS_FILE).open("w", encoding="utf-8", newline="") as file:
        table = EmotionsCsv(file)
        progress = tqdm(pictures.pictures, total=pictures.count, unit="picture", disable=quiet)
        for picture in progress:
            if picture.pixels is None:
                scoring.add_unreadable()
                unreadable.append(picture.name)
                continue
            frame, latency_s = _predict(
                picture.pixels, picture.number, pipeline, settings.min_confidence
            )
            latencies.add(latency_s)
            face = GroundTruthFace(picture.name, picture.label, None, picture.number)
            match = FaceMatch(face, frame.faces[0] if frame.faces else None)
            scoring.add_picture(match, frame)
            table.add(frame, [match])
    wall_s = time.perf_counter() - start_s
    if len(unreadable) == pictures.count:
        raise NoImageError(f"{folder}: none of its {pictures.count} pictures can be read")
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
        unused=(*by_name("pictures", "they cannot be decoded", unreadable), *pictures.unused),
        notes=(),
    )


def _predict(
    pixels: NDArray[np.uint8], number: int, pipeline: FramePipeline, min_confidence: float
) -> tuple[PredictedFrame, float]:
    """Return the prediction on the largest face, and its latency [s]."""
    height, width = pixels.shape[:2]
    start_s = time.perf_counter()
    if shows_only_a_face(pixels):
        emotions = [_whole_picture(pixels, pipeline)]
    else:
        emotions = pipeline.recognize(pixels)[:1]
    latency_s = time.perf_counter() - start_s
    return predicted_frame(number, (width, height), emotions, min_confidence), latency_s


def _whole_picture(pixels: NDArray[np.uint8], pipeline: FramePipeline) -> FaceEmotion:
    """Return the expression of a face crop, without detection."""
    adjustment = pipeline.config.prior_adjustment
    [scores] = pipeline.recognizer.recognize(as_crop(pixels)[None], adjustment)
    height, width = pixels.shape[:2]
    box = BoundingBox(0.0, 0.0, float(width), float(height))
    return FaceEmotion("", Face(box, 1.0, np.full((5, 2), np.nan, np.float32)), scores)
