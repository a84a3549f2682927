# SPDX-License-Identifier: Apache-2.0
"""Evaluate the perception on a bag or a folder of pictures, offline and without ROS running.

Every frame goes through the same code as in emotion_node: none is dropped, and time comes from
the frames' stamps, so that two runs give the same figures.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, Final

from tqdm import tqdm

from fer_perception.pipeline import EmotionPipeline
from fer_perception.recognition.model_store import ModelError
from fer_perception.settings import PerceptionSettings, build_pipeline

from .bags.bag_images import BagImage, choose_image_topic, images
from .bags.bag_reader import BagError, BagReader, OpenBag, is_bag, storage_files
from .bags.emotion_bag import EmotionBag
from .bags.message_types import MessageTypes
from .dataset_evaluation import evaluate_dataset
from .evaluation import Evaluation
from .pipeline_options import add_pipeline_options, pipeline_settings
from .report import provenance
from .report.lamp_strip import MISSING, LampStrip
from .report.output_folder import OutputFolder
from .report.results import (
    METRICS_FILE,
    REPORT_FILE,
    Results,
    model_of,
    timings,
    write_results,
)
from .report.thumbnails import Thumbnails
from .scoring.emotions_csv import EMOTIONS_FILE, EmotionsCsv
from .scoring.ground_truth import (
    COLUMNS,
    TOLERANCE_S,
    GroundTruth,
    LabelError,
    labels_from_topic,
    read_labels,
)
from .scoring.matching import MIN_IOU
from .scoring.scorer import Metrics, Scoring

EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130

_REFUSALS: Final = (BagError, LabelError, ModelError, ValueError, ModuleNotFoundError, OSError)


class Interrupted(Exception):
    """The user asked to stop."""


def main(args: list[str] | None = None) -> int:
    """Run the command line.

    :return: 0 when the report is written, 2 when it cannot be made, 130 after an interruption.
    """
    options = _parser().parse_args(args)
    before = [signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        results = evaluate(options)
    except _REFUSALS as error:
        print(f"evaluate_bag: {error}", file=sys.stderr)
        return EXIT_USAGE
    except Interrupted:
        print("evaluate_bag: interrupted; nothing was written", file=sys.stderr)
        return EXIT_INTERRUPTED
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)
    _print(results, options.out)
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise Interrupted


def evaluate(options: argparse.Namespace) -> Results:
    """Evaluate what the options name and write the results.

    :raises BagError: see :mod:`~.bag_reader`; likewise for the other errors.
    """
    settings = pipeline_settings(options)
    if options.out is None:
        options.out = Path(f"{options.source.name.removesuffix(options.source.suffix)}_report")
    if options.source.is_dir() and not is_bag(options.source):
        with OutputFolder(options.out) as folder:
            results = evaluate_dataset(options.source, settings, folder, options.quiet)
            write_results(folder, results)
        return results
    return _evaluate_bag(options, settings)


def _evaluate_bag(options: argparse.Namespace, settings: PerceptionSettings) -> Results:
    with ExitStack() as stack:
        bag = stack.enter_context(OpenBag(options.source))
        types = MessageTypes(bag.topics.values())
        topic = choose_image_topic(bag.topics.values(), options.image_topic, str(options.source))
        truth, labels = _truth(options, bag, types, topic)
        pipeline = build_pipeline(settings)
        folder = stack.enter_context(OutputFolder(options.out))
        table = folder.path(EMOTIONS_FILE).open("w", encoding="utf-8", newline="")
        stack.enter_context(table)
        thumbnails = Thumbnails() if options.thumbnails else None
        lamp, notes = _lamp()
        evaluation = Evaluation(
            pipeline,
            Scoring(truth, options.min_iou),
            EmotionsCsv(table),
            settings.min_confidence,
            lamp,
            thumbnails,
        )
        start_s = time.perf_counter()
        _run(options, bag, types, topic, pipeline, evaluation, settings, stack)
        wall_s = time.perf_counter() - start_s
        metrics = evaluation.scoring.metrics(lamp.interventions if lamp else None)
        results = Results(
            source={
                "kind": "bag",
                "name": options.source.name,
                "sha256": provenance.sha256_of(storage_files(options.source)),
                "image_topic": topic,
                "labels": labels,
            },
            model=model_of(pipeline),
            settings={
                **asdict(settings),
                "min_iou": options.min_iou,
                "label_tolerance_s": options.label_tolerance,
            },
            metrics=metrics,
            scoring=evaluation.scoring,
            timings=timings(evaluation.latencies, metrics.frames, metrics.duration_s, wall_s),
            latencies=evaluation.latencies,
            host=provenance.host(),
            warnings=tuple(_warnings(bag, types, evaluation, metrics)),
            notes=notes,
            thumbnails=thumbnails.data_uris() if thumbnails else {},
        )
        write_results(folder, results)
    return results


def _run(
    options: argparse.Namespace,
    bag: BagReader,
    types: MessageTypes,
    topic: str,
    pipeline: EmotionPipeline,
    evaluation: Evaluation,
    settings: PerceptionSettings,
    stack: ExitStack,
) -> None:
    """Evaluate all images, and copy the bag if that is asked for."""
    copy: EmotionBag | None = None
    frames: Iterator[BagImage] = images(bag, types, topic)
    if options.write_bag is not None:
        copy = stack.enter_context(
            EmotionBag(options.write_bag, bag, types, settings.min_confidence)
        )
        frames = copy.images(topic)
    total = bag.topics[topic].message_count
    for image in tqdm(frames, total=total, unit="frame", disable=options.quiet, mininterval=0.5):
        frame = evaluation.add(image)
        if copy is not None and frame is not None:
            copy.add(frame, pipeline.recognizer.model_id)


def _truth(
    options: argparse.Namespace, bag: BagReader, types: MessageTypes, image_topic: str
) -> tuple[GroundTruth | None, dict[str, Any] | None]:
    """Return the labels, and what to say of where they come from."""
    if options.labels is not None:
        first = next(images(bag, types, image_topic), None)
        rows = read_labels(options.labels, first.stamp_ns if first else 0)
        told = {
            "name": options.labels.name,
            "sha256": provenance.sha256_of([options.labels]),
            "rows": len(rows),
        }
    elif options.labels_topic:
        rows = labels_from_topic(bag, types, options.labels_topic)
        told = {"topic": options.labels_topic, "rows": len(rows)}
    else:
        return None, None
    return GroundTruth(rows, options.label_tolerance), told


def _lamp() -> tuple[LampStrip | None, tuple[str, ...]]:
    try:
        return LampStrip(), ()
    except ImportError:
        return None, (MISSING,)


def _warnings(
    bag: BagReader, types: MessageTypes, evaluation: Evaluation, metrics: Metrics
) -> list[str]:
    warnings = list(dict.fromkeys(bag.warnings))
    if types.unknown:
        named = ", ".join(f"{name} ({type_name})" for name, type_name in types.unknown.items())
        warnings.append(f"topics of unknown type are left out: {named}")
    for error, count in list(evaluation.unreadable.items())[:3]:
        warnings.append(f"{count} images cannot be read: {error}")
    if evaluation.scoring.truth is not None and not metrics.true_faces:
        warnings.append("the labels are about no frame of this bag: do their stamps fit?")
    return warnings


def _print(results: Results, out: Path) -> None:
    for warning in results.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    metrics = results.metrics
    speed = results.timings
    if metrics.accuracy is not None and metrics.coverage is not None:
        print(
            f"accuracy {100 * metrics.accuracy:.2f} %, balanced "
            f"{100 * (metrics.balanced_accuracy or 0.0):.2f} %, "
            f"macro-F1 {100 * (metrics.macro_f1 or 0.0):.2f} %, found "
            f"{100 * metrics.coverage:.2f} % of {metrics.true_faces} true faces"
        )
    print(
        f"{metrics.frames} frames, {metrics.faces} faces in {speed.wall_s:.1f} s: "
        f"{speed.frames_per_s:.1f} frames/s"
    )
    for name in (REPORT_FILE, METRICS_FILE, EMOTIONS_FILE):
        if (out / name).exists():
            print(f"Wrote {out / name}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="evaluate_bag",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source",
        type=Path,
        metavar="BAG",
        help="a bag (folder, .mcap or .db3 file), or a folder of pictures: FER2013 with FER+ in "
        "any of its forms, or one folder a class, for example faces/happiness/1.png",
    )
    parser.add_argument("--labels", type=Path, help=f"CSV with columns {COLUMNS}")
    parser.add_argument(
        "--labels-topic", default="", help="topic of EmotionStamped with the true labels"
    )
    parser.add_argument("--out", type=Path, help="folder for the results (default: NAME_report)")
    parser.add_argument("--image-topic", default="", help="where the bag has several")
    parser.add_argument(
        "--write-bag",
        type=Path,
        metavar="OUT",
        help="also write a bag with the emotions beside the bag's own topics",
    )
    parser.add_argument(
        "--thumbnails",
        action="store_true",
        help="put pictures of the faces into the report: it then shows who was there",
    )
    parser.add_argument(
        "--min-iou",
        type=float,
        default=MIN_IOU,
        help="least overlap of a true box and a seen one (default: %(default)s)",
    )
    parser.add_argument(
        "--label-tolerance",
        type=float,
        default=TOLERANCE_S,
        help="a label with a box is about the frame that is at most so far away [s] "
        "(default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_pipeline_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
