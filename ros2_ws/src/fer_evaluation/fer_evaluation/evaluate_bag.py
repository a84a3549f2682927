# SPDX-License-Identifier: Apache-2.0
"""Evaluate the perception offline, on a bag or a folder of pictures.

ROS is not required. Every frame goes through the same code as in emotion_node, without drops and
with the recording's time, so that the figures are reproducible.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    # Before the libraries below are loaded, so that Ctrl-C ends in one line from the start.
    from fer_common.command import run

    sys.exit(run("fer_evaluation.evaluate_bag"))

from fer_common.command import printing
from fer_common.interruption import EXIT_INTERRUPTED, Interrupted, interruptible
from fer_common.options import Option

from .bags.bag_error import BagError
from .bags.remote_bags import is_address, local_copy, name_of, remote_bags
from .bags.storage_formats import bag_name, is_bag
from .batch.bag_evaluation import BagOptions, evaluate_bag, refuse_media
from .batch.index_page import INDEX_FILE
from .batch.jobs import EXPECTED_ERRORS
from .batch.run import RUN_FILE, BatchOptions, BatchResult, count_reports, evaluate_bags
from .batch.sources import holds_bags, named_sources
from .dataset_evaluation import evaluate_dataset
from .pipeline_options import add_pipeline_options, checked, pipeline_settings
from .report.output_folder import METRICS_FILE, REPORT_FILE, OutputFolder
from .report.report_files import write_report
from .report.results import Results
from .scoring.emotions_csv import EMOTIONS_FILE
from .scoring.ground_truth import COLUMNS, TOLERANCE_S
from .scoring.matching import MIN_IOU

EXIT_SOME_FAILED: Final = 1
EXIT_USAGE: Final = 2

_MANY_OUT: Final = "bags_report"


def main(args: list[str] | None = None) -> int:
    """Run the command line.

    :returns: 0 when the report is written; 1 when some of several bags failed; 2 when nothing is
        written, for a wrong option or an input without a readable image; 130 after an
        interruption.
    """
    options = _parser().parse_args(args)
    sources: Mapping[str, str] = {}
    try:
        with interruptible():
            are_many = _are_many(options)
            if not are_many:
                results = evaluate(options)
            else:
                sources = named_sources(options.sources)
                batch = _batch_options(options)
                many = evaluate_bags(sources, batch)
    except EXPECTED_ERRORS as error:
        print(f"evaluate_bag: {error}", file=sys.stderr)
        return EXIT_USAGE
    except Interrupted:
        print(f"evaluate_bag: interrupted; {_left_behind(options, sources)}", file=sys.stderr)
        return EXIT_INTERRUPTED
    out = batch.out if are_many else options.out
    with printing(f"evaluate_bag: the report is written to {out}"):
        if are_many:
            return _print_many(many, batch)
        _print(results, options)
        return 0


def _are_many(options: argparse.Namespace) -> bool:
    """Return whether the input is more than one bag."""
    if len(options.sources) > 1 or options.scheduler:
        return True
    [source] = options.sources
    return len(remote_bags(source)) > 1 if is_address(source) else holds_bags(Path(source))


def _left_behind(options: argparse.Namespace, sources: Mapping[str, str]) -> str:
    count = count_reports(_out_of_many(options), sources)
    if not count:
        return "nothing was written"
    if options.overwrite:
        return "some reports may be of the earlier run: the same command evaluates all again"
    return f"{count} of {len(sources)} bags have a report: the same command evaluates the rest"


def evaluate(options: argparse.Namespace) -> Results:
    """Evaluate one input and write the results.

    :raises BagError: see :mod:`~.bags.bag_reader`; likewise for the other errors.
    :raises NoImageError: when no image can be read.
    """
    [source] = options.sources
    with ExitStack() as stack:
        path = Path(source)
        if is_address(source):
            print(f"Copying {source}: only local bags can be read", file=sys.stderr)
            path = stack.enter_context(local_copy(source))
        if options.out is None:
            options.out = Path(f"{bag_name(path)}_report")
        folder = OutputFolder(options.out, options.overwrite)
        if path.is_dir() and not is_bag(path):
            settings = pipeline_settings(options)
            stack.enter_context(folder)
            results = evaluate_dataset(path, settings, folder, options.quiet)
            write_report(folder, results)
            return results
        if not is_bag(path):
            refuse_media(path)
        evaluated = evaluate_bag(path, _bag_options(options), folder)
        assert evaluated is not None
        return evaluated


def _bag_options(options: argparse.Namespace) -> BagOptions:
    return BagOptions(
        pipeline_settings(options),
        options.labels,
        options.labels_topic,
        options.image_topic,
        options.min_iou,
        options.label_tolerance,
        options.thumbnails,
        options.write_bag,
        options.quiet,
    )


def _out_of_many(options: argparse.Namespace) -> Path:
    if options.out is not None:
        return Path(options.out)
    if len(options.sources) > 1:
        return Path(_MANY_OUT)
    [source] = options.sources
    return Path(f"{name_of(source) if is_address(source) else bag_name(Path(source))}_report")


def _batch_options(options: argparse.Namespace) -> BatchOptions:
    """Return the options for several bags.

    :raises BagError: when an option is for one bag only.
    """
    if options.write_bag is not None:
        raise BagError("--write-bag is for one bag: evaluate that one by itself")
    if options.labels is not None and not options.labels.is_dir():
        raise BagError(
            f"--labels {options.labels} is not a folder: for several bags, name a folder with a "
            "NAME.csv for each"
        )
    return BatchOptions(
        _out_of_many(options),
        _bag_options(options),
        options.jobs,
        options.scheduler,
        options.overwrite,
        options.labels,
    )


def _print_many(result: BatchResult, options: BatchOptions) -> int:
    for warning in result.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    kept = f", {result.kept} reports of an earlier run kept" if result.kept else ""
    print(f"{result.evaluated} bags evaluated{kept}, {len(result.failed)} failed")
    for path in (options.out / INDEX_FILE, options.out / RUN_FILE):
        print(f"Wrote {path}")
    return EXIT_SOME_FAILED if result.failed else 0


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
    elif metrics.true_faces:
        print(f"no accuracy: none of the {metrics.true_faces} labelled faces was found")
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
        "sources",
        nargs="+",
        metavar="BAG",
        help="bags (a bag's folder, or one .mcap or .db3 file, also compressed), folders of bags, "
        "addresses of fsspec such as s3://bucket/bag, or one folder of pictures: FER2013 with "
        "FER+ in any published form, or one folder per class, for example faces/happiness/1.png",
    )
    truth = parser.add_mutually_exclusive_group()
    truth.add_argument(
        "--labels",
        type=Path,
        help=f"CSV with columns {COLUMNS}; for several bags a folder with a NAME.csv for each",
    )
    truth.add_argument(
        "--labels-topic", default="", help="topic of EmotionStamped with the ground truth"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help=f"folder for the results (default: NAME_report; {_MANY_OUT} for several bags)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace the report of an earlier run in --out; for several bags, the reports of an "
        "earlier run with the same options are otherwise kept",
    )
    parser.add_argument(
        "--jobs",
        type=_at_least_one,
        default=1,
        metavar="N",
        help="number of bags evaluated at a time, each in a process with one thread "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="evaluate on the workers of this Dask scheduler, for example tcp://host:8786, which "
        "read the bags under the same paths or addresses",
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
        type=checked("min_iou", float, Option("", minimum=0.0, maximum=1.0)),
        default=MIN_IOU,
        help="least IoU of a ground-truth box and a predicted one (default: %(default)s)",
    )
    parser.add_argument(
        "--label-tolerance",
        type=checked("label_tolerance", float, Option("", minimum=0.0)),
        default=TOLERANCE_S,
        help="largest distance of a label with a box from its frame [s] (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_pipeline_options(parser)
    return parser


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of processes, got {text!r}")
    return int(text)
