# SPDX-License-Identifier: Apache-2.0
"""Evaluate the perception offline, on a bag or a folder of pictures.

ROS is not required. Every frame goes through the same code as in emotion_node, without drops and
with the recording's time, so that the figures are reproducible.
"""

from __future__ import annotations

import argparse
import mimetypes
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from fer_common.interruption import EXIT_INTERRUPTED, Interrupted, interruptible
from fer_perception.recognition.model_store import ModelError
from fer_perception.settings import PerceptionSettings, build_pipeline

from .bags.bag_error import BagError
from .bags.bag_images import BagImage, choose_image_topic, images
from .bags.bag_reader import OpenBag
from .bags.image_times import ImageTimes, TimeSource, image_times
from .bags.message_types import MessageTypes
from .bags.storage_formats import bag_name, is_bag
from .dataset_evaluation import evaluate_dataset
from .emotion_bag import EmotionBag
from .evaluation import Evaluation, NoImageError
from .pipeline_options import add_pipeline_options, pipeline_settings
from .report import provenance
from .report.lamp_strip import MISSING, LampStrip
from .report.output_folder import METRICS_FILE, REPORT_FILE, OutputFolder
from .report.report_files import write_report
from .report.results import Results, model_of, timings
from .report.thumbnails import Thumbnails
from .report.unused import by_name, by_reason
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

_NO_LAMP_WITHOUT_TIME: Final = "no lamp: the frames have no time"

_REFUSALS: Final = (BagError, LabelError, ModelError, ValueError, ModuleNotFoundError, OSError)


def main(args: list[str] | None = None) -> int:
    """Run the command line.

    :returns: 0 when the report is written; 2 when it is not, for a wrong option or an input
        without a readable image; 130 after an interruption.
    """
    options = _parser().parse_args(args)
    try:
        with interruptible():
            results = evaluate(options)
    except _REFUSALS as error:
        print(f"evaluate_bag: {error}", file=sys.stderr)
        return EXIT_USAGE
    except Interrupted:
        print("evaluate_bag: interrupted; nothing was written", file=sys.stderr)
        return EXIT_INTERRUPTED
    _print(results, options)
    return 0


def evaluate(options: argparse.Namespace) -> Results:
    """Evaluate the input of the options and write the results.

    :raises BagError: see :mod:`~.bags.bag_reader`; likewise for the other errors.
    :raises NoImageError: when no image can be read.
    """
    settings = pipeline_settings(options)
    if options.out is None:
        options.out = Path(f"{bag_name(options.source)}_report")
    if options.source.is_dir() and not is_bag(options.source):
        with OutputFolder(options.out, options.overwrite) as folder:
            results = evaluate_dataset(options.source, settings, folder, options.quiet)
            write_report(folder, results)
        return results
    _refuse_media(options.source)
    return _evaluate_bag(options, settings)


def _refuse_media(source: Path) -> None:
    """Point at make_bag where a picture or a video is given."""
    kind = (mimetypes.guess_type(source.name)[0] or "").partition("/")[0]
    if kind in ("image", "video") and source.is_file() and not is_bag(source):
        raise BagError(
            f"{source} is not a bag: make one of this {'picture' if kind == 'image' else kind} "
            f"first, with 'make_bag {source} BAG'"
        )


@dataclass(frozen=True)
class _Recording:
    """The images to evaluate.

    :ivar times: what they are timed by.
    """

    bag: OpenBag
    types: MessageTypes
    topic: str
    times: ImageTimes

    @property
    def by_recording(self) -> bool:
        return self.times.source is TimeSource.RECORDING

    @property
    def is_timed(self) -> bool:
        return self.times.source is not TimeSource.NONE

    def images(self) -> Iterator[BagImage]:
        return images(self.bag, self.types, self.topic, self.by_recording)


def _evaluate_bag(options: argparse.Namespace, settings: PerceptionSettings) -> Results:
    with ExitStack() as stack:
        bag = stack.enter_context(OpenBag(options.source))
        types = MessageTypes(bag.topics.values())
        topic = choose_image_topic(bag.topics.values(), options.image_topic, str(options.source))
        recording = _Recording(bag, types, topic, image_times(bag, topic))
        truth, labels = _truth(options, recording)
        pipeline = build_pipeline(settings)
        folder = stack.enter_context(OutputFolder(options.out, options.overwrite))
        table = folder.path(EMOTIONS_FILE).open("w", encoding="utf-8", newline="")
        stack.enter_context(table)
        thumbnails = Thumbnails() if options.thumbnails else None
        lamp, notes = _lamp() if recording.is_timed else (None, (_NO_LAMP_WITHOUT_TIME,))
        evaluation = Evaluation(
            pipeline,
            Scoring(truth, options.min_iou),
            EmotionsCsv(table),
            settings.min_confidence,
            lamp,
            thumbnails,
            recording.is_timed,
        )
        copy = None
        if options.write_bag is not None:
            copy = stack.enter_context(
                EmotionBag(options.write_bag, bag, types, settings.min_confidence)
            )
        start_s = time.perf_counter()
        _run(recording, evaluation, copy, options.quiet)
        wall_s = time.perf_counter() - start_s
        metrics = evaluation.scoring.metrics(lamp.interventions if lamp else None)
        unused = by_reason("images", evaluation.unreadable)
        if metrics.frames == metrics.unreadable_frames:
            reasons = "; ".join(map(str, unused)) or "; ".join(bag.warnings) or "it holds none"
            raise NoImageError(f"{options.source}: no image on {topic} could be read: {reasons}")
        left_out = [f"{name} ({type_name})" for name, type_name in types.unknown.items()]
        unused += by_name("topics", "their type is unknown", left_out)
        results = Results(
            source={
                "kind": "bag",
                "name": options.source.name,
                "sha256": provenance.sha256_of(bag.files),
                "image_topic": topic,
                "time": recording.times.source.value,
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
            warnings=tuple(_warnings(recording, evaluation, metrics)),
            unused=tuple(unused),
            notes=notes,
            thumbnails=thumbnails.data_uris() if thumbnails else {},
        )
        write_report(folder, results)
    return results


def _run(
    recording: _Recording, evaluation: Evaluation, copy: EmotionBag | None, quiet: bool
) -> None:
    """Evaluate all images and write the copy, if requested."""
    topic = recording.topic
    frames = copy.images(topic, recording.by_recording) if copy else recording.images()
    total = recording.bag.topics[topic].message_count
    for image in tqdm(frames, total=total, unit="frame", disable=quiet, mininterval=0.5):
        frame = evaluation.add(image)
        if copy is not None and frame is not None:
            copy.add(frame, evaluation.model_id)


def _truth(
    options: argparse.Namespace, recording: _Recording
) -> tuple[GroundTruth | None, dict[str, Any] | None]:
    """Return the labels and a description of their source.

    :raises LabelError: also where the frames have no time.
    """
    if not recording.is_timed and (options.labels is not None or options.labels_topic):
        fault = recording.times.warning.partition(":")[0]
        raise LabelError(
            f"{options.source}: {fault}, so labels by time fit no frame: evaluate without labels, "
            "or record again"
        )
    if options.labels is not None:
        first = next(recording.images(), None)
        rows = read_labels(options.labels, first.time_ns if first else 0)
        source = {
            "name": options.labels.name,
            "sha256": provenance.sha256_of([options.labels]),
            "rows": len(rows),
        }
    elif options.labels_topic:
        rows = labels_from_topic(
            recording.bag, recording.types, options.labels_topic, recording.by_recording
        )
        source = {"topic": options.labels_topic, "rows": len(rows)}
    else:
        return None, None
    return GroundTruth(rows, options.label_tolerance), source


def _lamp() -> tuple[LampStrip | None, tuple[str, ...]]:
    try:
        return LampStrip(), ()
    except ImportError:
        return None, (MISSING,)


def _warnings(recording: _Recording, evaluation: Evaluation, metrics: Metrics) -> list[str]:
    warnings = list(dict.fromkeys(recording.bag.warnings))
    if recording.times.warning:
        warnings.append(recording.times.warning)
    warnings += [
        f"{count} images are damaged but used: {reason}"
        for reason, count in evaluation.damaged.items()
    ]
    if evaluation.scoring.truth is not None and not metrics.true_faces:
        warnings.append("the labels match no frame of this bag: compare their stamps")
    return warnings


def _print(results: Results, options: argparse.Namespace) -> None:
    for warning in (*results.warnings, *results.unused):
        print(f"warning: {warning}", file=sys.stderr)
    metrics = results.metrics
    speed = results.timings
    if metrics.accuracy is not None and metrics.coverage is not None:
        print(
            f"accuracy {100 * metrics.accuracy:.2f} %, balanced "
            f"{100 * (metrics.balanced_accuracy or 0.0):.2f} %, "
            f"macro-F1 {100 * (metrics.macro_f1 or 0.0):.2f} %, found "
            f"{100 * metrics.coverage:.2f} % of {metrics.true_faces} labelled faces"
        )
    print(
        f"{metrics.frames} frames, {metrics.faces} faces in {speed.wall_s:.1f} s: "
        f"{speed.frames_per_s:.1f} frames/s"
    )
    written = [options.out / name for name in (REPORT_FILE, METRICS_FILE, EMOTIONS_FILE)]
    for path in (*written, options.write_bag):
        if path is not None and path.exists():
            print(f"Wrote {path}")


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
        help="a bag (its folder, or one .mcap or .db3 file, also compressed), or a folder of "
        "pictures: FER2013 with FER+ in any published form, or one folder per class, for example "
        "faces/happiness/1.png",
    )
    parser.add_argument("--labels", type=Path, help=f"CSV with columns {COLUMNS}")
    parser.add_argument(
        "--labels-topic", default="", help="topic of EmotionStamped with the ground truth"
    )
    parser.add_argument("--out", type=Path, help="folder for the results (default: NAME_report)")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the report of an earlier run in --out"
    )
    parser.add_argument("--image-topic", default="", help="needed where the bag has several")
    parser.add_argument(
        "--write-bag",
        type=Path,
        metavar="OUT",
        help="also write a copy of the bag with the emotions beside its own topics",
    )
    parser.add_argument(
        "--thumbnails",
        action="store_true",
        help="put pictures of the faces into the report, which then identifies people",
    )
    parser.add_argument(
        "--min-iou",
        type=float,
        default=MIN_IOU,
        help="least IoU of a ground-truth box and a predicted one (default: %(default)s)",
    )
    parser.add_argument(
        "--label-tolerance",
        type=float,
        default=TOLERANCE_S,
        help="largest distance of a label with a box from its frame [s] (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_pipeline_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
