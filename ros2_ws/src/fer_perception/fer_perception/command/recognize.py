# SPDX-License-Identifier: Apache-2.0
"""Command line: recognise faces of a photograph, video, folder or camera.

Exit codes: 0 done, warnings name unreadable parts; 2 error;
130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from tqdm import tqdm

from fer_common.interruption import EXIT_INTERRUPTED
from fer_common.options import ConfigError

from ..api import EmotionPipeline, FrameEmotions
from ..images.decoding import ImageError
from ..images.frame_source import FrameSource, FrameSourceError, open_frame_source
from ..images.picture_files import skipped_entries
from ..images.picture_folder import PictureFolder
from ..inference.model_files import ModelError
from ..recognition.installed_models import DEFAULT_MODEL, list_models
from .outputs import (
    Write,
    annotator,
    check_annotate,
    check_writable,
    csv_writer,
    json_printer,
)
from .tables import PictureTable, SegmentTable

__all__ = ["main"]


def main(args: list[str] | None = None) -> int:
    """Run the command line under the name in ``sys.argv[0]``.

    :returns: 0, or 130 after an interruption, with what was recognised until then.
    """
    parser = _parser()
    options = parser.parse_args(args)
    try:
        code = _run(options)
    except BrokenPipeError:
        raise
    except (FrameSourceError, ImageError, ModelError, ValueError, OSError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Recognise the apparent expression of every face.",
        epilog="Exit codes: 0 done, warnings name what could not be read; 2 error; 130 Ctrl-C.",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a photograph, a video, a folder of photographs, a camera (its index, its device or "
        "the address of its stream), or 'portrait', a moving test picture",
    )
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        help=f"{', '.join(list_models()) or 'none is installed'}, or a folder (%(default)s)",
    )
    parser.add_argument(
        "--min-face",
        type=float,
        default=40.0,
        metavar="PX",
        help="side of the smallest face in pixels, at least 12 (%(default)s)",
    )
    parser.add_argument(
        "--annotate",
        type=Path,
        metavar="OUT",
        help="draw the results into a picture, a video or a folder, as the source is",
    )
    parser.add_argument("--csv", type=Path, metavar="OUT", help="write a row per face and frame")
    parser.add_argument(
        "--json", action="store_true", help="print a JSON object per frame in place of the table"
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        source = stack.enter_context(open_frame_source(options.source, warn=_say))
        for name in ("annotate", "csv"):
            output = getattr(options, name)
            if output is not None and _same(output, options.source):
                raise ValueError(f"--{name} {output} would overwrite the source")
        path = Path(options.source).expanduser()
        if options.annotate is not None:
            check_annotate(options.annotate, source, path)
        if options.csv is not None:
            check_writable(options.csv, "--csv")
        pipeline = _pipeline(options)
        is_stream = not isinstance(source, PictureFolder)
        table = SegmentTable() if is_stream else PictureTable()
        source_name = path.name if path.is_file() else source.name
        writers: list[Write] = [
            json_printer(source_name, is_stream) if options.json else table.add
        ]
        if options.csv is not None:
            file = stack.enter_context(options.csv.open("w", newline=""))
            writers.append(csv_writer(file, source_name, is_stream))
        if options.annotate is not None:
            writers.append(annotator(options.annotate, source, path, stack))
        frames = tqdm(
            source,
            total=source.expected_frames,
            unit=" frames",
            disable=not sys.stderr.isatty() or source.expected_frames == 1,
        )
        results = (
            pipeline.track(frames)
            if is_stream
            else (FrameEmotions(f, pipeline.recognize(f.image)) for f in frames)
        )
        code = _consume(results, writers)
        frames.close()
        if not options.json:
            table.print()
        _say(_summary(source, path))
        return code


def _pipeline(options: argparse.Namespace) -> EmotionPipeline:
    try:
        return EmotionPipeline.from_pretrained(options.model, min_face_px=options.min_face)
    except ConfigError as error:
        # The settings' own name of the option is none that the user gave.
        raise ValueError(str(error).replace("option.min_face_px", "--min-face")) from None


def _consume(results: Iterable[FrameEmotions], writers: list[Write]) -> int:
    """Pass each result to the writers; return 130 on Ctrl-C."""
    try:
        for result in results:
            for write in writers:
                write(result)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def _say(message: str) -> None:
    tqdm.write(message, file=sys.stderr)


def _same(output: Path, source: str) -> bool:
    return output.expanduser().resolve() == Path(source).expanduser().resolve()


def _summary(source: FrameSource, path: Path) -> str:
    report = source.report
    parts = [f"{report.frames} frame{'s' * (report.frames != 1)} read"]
    if report.missing:
        parts.append(f"{report.missing} could not be read")
    if report.damaged:
        parts.append(f"{report.damaged} damaged")
    if path.is_dir():
        parts += skipped_entries(path)
    return "; ".join(parts)
