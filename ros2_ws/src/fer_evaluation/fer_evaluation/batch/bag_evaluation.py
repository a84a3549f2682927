# SPDX-License-Identifier: Apache-2.0
"""Evaluate one bag and write its report."""

from __future__ import annotations

import json
import mimetypes
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from fer_perception.runtime.shared_parts import SharedParts
from fer_perception.settings import PerceptionSettings, build_pipeline

from ..bags.bag_error import BagError
from ..bags.bag_images import BagImage, choose_image_topic, images
from ..bags.bag_reader import OpenBag
from ..bags.image_times import ImageTimes, TimeSource, image_times
from ..bags.message_types import MessageTypes
from ..bags.storage_formats import is_bag
from ..emotion_bag import EmotionBag
from ..evaluation import Evaluation, NoImageError
from ..report import provenance
from ..report.lamp_strip import MISSING, LampStrip
from ..report.output_folder import METRICS_FILE, OutputFolder
from ..report.report_files import write_report
from ..report.results import Results, model_of, timings
from ..report.thumbnails import Thumbnails
from ..report.unused import Unused, by_name, by_reason
from ..scoring.emotions_csv import EMOTIONS_FILE, EmotionsCsv
from ..scoring.ground_truth import (
    TOLERANCE_S,
    GroundTruth,
    LabelError,
    labels_from_topic,
    read_labels,
)
from ..scoring.matching import MIN_IOU
from ..scoring.scorer import Metrics, Scoring

_NO_LAMP_WITHOUT_TIME: Final = "no lamp: the frames have no time"


@dataclass(frozen=True)
class BagOptions:
    """How to evaluate a bag.

    :ivar labels: CSV with the ground truth; None for none.
    :ivar labels_topic: topic with the ground truth; may be empty.
    :ivar image_topic: may be empty where the bag has one.
    :ivar label_tolerance: largest distance of a label with a box from its frame [s].
    :ivar thumbnails: whether the report shows pictures of the faces.
    :ivar write_bag: where to write a copy with the emotions; None for no copy.
    :ivar quiet: show no progress.
    """

    settings: PerceptionSettings = PerceptionSettings()
    labels: Path | None = None
    labels_topic: str = ""
    image_topic: str = ""
    min_iou: float = MIN_IOU
    label_tolerance: float = TOLERANCE_S
    thumbnails: bool = False
    write_bag: Path | None = None
    quiet: bool = False


@dataclass(frozen=True)
class _Recording:
    """The images to evaluate.

    :ivar times: what they are timed by.
    """

    path: Path
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


def evaluate_bag(
    path: Path,
    options: BagOptions,
    out: OutputFolder,
    earlier: Mapping[str, Any] | None = None,
    parts: SharedParts | None = None,
) -> Results | None:
    """Evaluate a bag and write its report into a new folder.

    :param earlier: a ``metrics.json`` of an earlier run to keep if it is of the same bag, labels,
        model and settings.
    :param parts: networks shared with other bags of the process.
    :returns: None where the earlier report is kept.
    :raises BagError: see :mod:`~.bags.bag_reader`; likewise for labels, model and settings.
    :raises FileExistsError: when an earlier report would be overwritten unasked.
    :raises NoImageError: when no image can be read.
    """
    settings = options.settings
    with ExitStack() as stack:
        bag = stack.enter_context(OpenBag(path))
        types = MessageTypes(bag.topics.values())
        topic = choose_image_topic(bag.topics.values(), options.image_topic, str(path))
        recording = _Recording(path, bag, types, topic, image_times(bag, topic))
        truth, labels = _truth(options, recording)
        pipeline = build_pipeline(settings, parts)
        identity: dict[str, Any] = {
            "source": {
                "kind": "bag",
                "name": path.name,
                "sha256": provenance.sha256_of(bag.files),
                "image_topic": topic,
                "time": recording.times.source.value,
                "labels": labels,
            },
            "model": model_of(pipeline),
            "settings": {
                **asdict(settings),
                "min_iou": options.min_iou,
                "label_tolerance_s": options.label_tolerance,
            },
        }
        if earlier is not None:
            _refuse_other_run(earlier, identity, out)
            return None
        folder = stack.enter_context(out)
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
            raise NoImageError(f"{path}: no image on {topic} could be read: {reasons}")
        if truth is not None and truth.unused_rows:
            unused.append(Unused("labels", truth.unused_rows, "no image was taken at their time"))
        left_out = [f"{name} ({type_name})" for name, type_name in types.unknown.items()]
        unused += by_name("topics", "their type is unknown", left_out)
        results = Results(
            **identity,
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
    options: BagOptions, recording: _Recording
) -> tuple[GroundTruth | None, dict[str, Any] | None]:
    """Return the labels and a description of their source.

    :raises LabelError: also where the frames have no time.
    """
    if not recording.is_timed and (options.labels is not None or options.labels_topic):
        fault = recording.times.warning.partition(":")[0]
        raise LabelError(
            f"{recording.path}: {fault}, so labels by time fit no frame: evaluate without labels, "
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


def _refuse_other_run(
    earlier: Mapping[str, Any], identity: Mapping[str, Any], out: OutputFolder
) -> None:
    """Refuse to overwrite a report of other input, model or settings.

    :raises FileExistsError: it names the first difference.
    """
    ours = json.loads(json.dumps(identity))
    for part, values in ours.items():
        for name in {**values, **earlier.get(part, {})}:
            before, now = earlier.get(part, {}).get(name), values.get(name)
            if before != now:
                raise FileExistsError(
                    f"{out.folder / METRICS_FILE} is an earlier run's with another {part} "
                    f"({name} was {before!r}, is {now!r}): name another folder for the results, "
                    "or overwrite it with --overwrite"
                )


def refuse_media(source: Path) -> None:
    """Point at make_bag where a picture or a video is given.

    :raises BagError: for a picture or a video.
    """
    kind = (mimetypes.guess_type(source.name)[0] or "").partition("/")[0]
    if kind in ("image", "video") and source.is_file() and not is_bag(source):
        raise BagError(
            f"{source} is not a bag: make one of this {'picture' if kind == 'image' else kind} "
            f"first, with 'make_bag {source} BAG'"
        )
