# SPDX-License-Identifier: Apache-2.0
"""Recognise the faces of a photograph, a video, a folder or a camera: the command.

Exit codes: 0 done; 1 done, but part of the source could not be read; 2 nothing could be done;
130 interrupted.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

import cv2
from tqdm import tqdm

from .api import EmotionPipeline, FrameEmotions
from .emotions import EMOTIONS
from .face import RgbImage
from .face_emotion import FaceEmotion
from .images.annotation import annotate
from .images.decoding import ImageError
from .images.frame_source import FrameSource, FrameSourceError, open_frame_source
from .images.frames import DEFAULT_RATE_HZ
from .images.picture_files import IMAGE_SUFFIXES
from .images.picture_folder import PictureFolder
from .recognition.model_store import DEFAULT_MODEL, ModelError, list_models

__all__ = ["main"]

_NAMES_SHOWN: Final = 5
_COLUMNS: Final = (
    *("name", "time_s", "face_id", "emotion", "confidence"),
    *("x", "y", "width", "height"),
)

Write: TypeAlias = Callable[[FrameEmotions], None]


def main(args: list[str] | None = None) -> None:
    """Run the command line."""
    parser = _parser()
    options = parser.parse_args(args)
    try:
        code = _run(options)
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:  # such as of "recognize ... | head"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except (FrameSourceError, ImageError, ModelError, ValueError, OSError) as error:
        parser.exit(2, f"recognize: {error}\n")
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recognize",
        description="Recognise the apparent expression of every face.",
        epilog="Exit codes: 0 done; 1 part of the source could not be read; 2 error; 130 Ctrl-C.",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a photograph, a video, a folder of photographs, or a camera: its index, its device "
        "or the address of its stream",
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
        pipeline = EmotionPipeline.from_pretrained(options.model, min_face_px=options.min_face)
        is_stream = not isinstance(source, PictureFolder)
        table = _SegmentTable() if is_stream else _PictureTable()
        writers: list[Write] = [_print_json if options.json else table.add]
        if options.csv is not None:
            writers.append(_csv_writer(stack.enter_context(options.csv.open("w", newline=""))))
        if options.annotate is not None:
            writers.append(_annotator(options.annotate, source, Path(options.source), stack))
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
        _say(_summary(source, Path(options.source)))
        return code or int(source.report.missing > 0)


def _consume(results: Iterable[FrameEmotions], writers: list[Write]) -> int:
    """Pass each result to the writers; return 130 when Ctrl-C ends it, as it does a camera."""
    try:
        for result in results:
            for write in writers:
                write(result)
    except KeyboardInterrupt:
        return 130
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
        others = sorted(p for p in path.iterdir() if p.is_file())
        hidden = [p.name for p in others if p.name.startswith(".")]
        foreign = [
            p.name
            for p in others
            if not p.name.startswith(".") and p.suffix.lower() not in IMAGE_SUFFIXES
        ]
        parts += [
            f"{len(names)} {kind} skipped ({', '.join(names[:_NAMES_SHOWN])}"
            f"{', ...' * (len(names) > _NAMES_SHOWN)})"
            for kind, names in (("hidden", hidden), ("not pictures", foreign))
            if names
        ]
    return "; ".join(parts)


class _PictureTable:
    """A row per face, printed as it comes."""

    def __init__(self) -> None:
        self._begun = False

    def add(self, result: FrameEmotions) -> None:
        if not self._begun:
            _print_row("picture", "emotion", "confidence", "left", "top", "width", "height")
            self._begun = True
        if not result.faces:
            _print_row(result.frame.name, "no face")
        for face in result.faces:
            box = face.box
            numbers = (box.x, box.y, box.width, box.height)
            _print_row(
                result.frame.name,
                face.emotion,
                f"{face.confidence:.2f}",
                *(f"{n:.0f}" for n in numbers),
            )

    def print(self) -> None:
        """Do nothing: each row is printed already."""


def _print_row(name: str, *cells: str) -> None:
    shown = name if len(name) <= 28 else f"{name[:12]}...{name[-13:]}"
    widths = (10, 10, 5, 5, 6, 6)
    row = f"{shown:<28}" + "".join(f" {c:>{w}}" for c, w in zip(cells, widths, strict=False))
    tqdm.write(row.rstrip(), file=sys.stdout)


@dataclass
class _Segment:
    """While a face shows one expression."""

    face_id: str
    emotion: str
    first_s: float
    last_s: float
    confidences: list[float]


class _SegmentTable:
    """A row for each time that a face shows one expression, printed at the end."""

    def __init__(self) -> None:
        self._segments: list[_Segment] = []
        self._current: dict[str, _Segment] = {}

    def add(self, result: FrameEmotions) -> None:
        for face in result.faces:
            segment = self._current.get(face.face_id)
            if segment is None or segment.emotion != face.emotion:
                segment = _Segment(face.face_id, face.emotion, result.time_s, result.time_s, [])
                self._current[face.face_id] = segment
                self._segments.append(segment)
            segment.last_s = result.time_s
            segment.confidences.append(face.confidence)

    def print(self) -> None:
        if not self._segments:
            print("no face")
            return
        print(f"{'from s':>9} {'to s':>9}  {'face':<20} {'emotion':<10} {'confidence':>10}")
        for s in self._segments:
            mean = sum(s.confidences) / len(s.confidences)
            print(
                f"{s.first_s:>9.2f} {s.last_s:>9.2f}  {s.face_id[:20]:<20} {s.emotion:<10} "
                f"{mean:>10.2f}"
            )


def _cells(face: FaceEmotion) -> dict[str, Any]:
    box = face.box
    cells = {"face_id": face.face_id, "emotion": face.emotion, "confidence": face.confidence}
    places = {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in (cells | places).items()}


def _print_json(result: FrameEmotions) -> None:
    faces = [
        _cells(face)
        | {"scores": {e: round(float(s), 4) for e, s in zip(EMOTIONS, face.scores, strict=True)}}
        for face in result.faces
    ]
    entry = {"name": result.frame.name, "time_s": round(result.time_s, 4), "faces": faces}
    print(json.dumps(entry), flush=True)


def _csv_writer(file: IO[str]) -> Write:
    writer = csv.DictWriter(file, (*_COLUMNS, *EMOTIONS))
    writer.writeheader()

    def write(result: FrameEmotions) -> None:
        for face in result.faces:
            scores = {e: round(float(s), 4) for e, s in zip(EMOTIONS, face.scores, strict=True)}
            place = {"name": result.frame.name, "time_s": round(result.time_s, 4)}
            writer.writerow(place | _cells(face) | scores)

    return write


def _annotator(output: Path, source: FrameSource, path: Path, stack: ExitStack) -> Write:
    if not isinstance(source, PictureFolder):
        video = _VideoWriter(output, source.rate_hz or DEFAULT_RATE_HZ)
        stack.callback(video.close)
        return lambda result: video.write(annotate(result.frame.image, result.faces))
    if path.is_dir():
        output.mkdir(parents=True, exist_ok=True)

    def write(result: FrameEmotions) -> None:
        # A format that OpenCV writes, whatever it read.
        place = output / f"{result.frame.name}.png" if path.is_dir() else output
        picture = annotate(result.frame.image, result.faces)
        _write_picture(place, picture)

    return write


def _write_picture(path: Path, picture: RgbImage) -> None:
    try:
        done = cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    except cv2.error:
        done = False
    if not done:
        raise ValueError(f"cannot write {path}: is it a picture's name in an existing folder?")


class _VideoWriter:
    """A video of the size of its first frame."""

    def __init__(self, path: Path, rate_hz: float) -> None:
        self._path, self._rate_hz = path, rate_hz
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)

    def write(self, picture: RgbImage) -> None:
        if self._writer is None:
            self._size = (picture.shape[1], picture.shape[0])
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._path), code, self._rate_hz, self._size)
            if not self._writer.isOpened():
                raise ValueError(f"cannot write {self._path}: expected NAME.mp4 in a folder there")
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = cv2.resize(picture, self._size)
        self._writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()


if __name__ == "__main__":
    main()
