# SPDX-License-Identifier: Apache-2.0
"""Write results as JSON, CSV, annotated pictures and annotated videos."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

import cv2

from fer_common.atomic_file import write_atomically

from ..api import FrameEmotions
from ..emotions import EMOTIONS
from ..face import RgbImage
from ..face_emotion import FaceEmotion
from ..images.annotation import annotate
from ..images.frame_source import FrameSource
from ..images.frames import DEFAULT_RATE_HZ
from ..images.picture_folder import PictureFolder
from ..images.video_writer import VideoWriter

__all__ = ["Write", "annotator", "check_annotate", "check_writable", "csv_writer", "json_printer"]

Write: TypeAlias = Callable[[FrameEmotions], None]

_VIDEO_SUFFIXES: Final = (".mp4", ".avi", ".mkv")
_COLUMNS: Final = (
    *("name", "time_s", "face_id", "emotion", "confidence"),
    *("x", "y", "width", "height", "quality"),
)


def _cells(face: FaceEmotion) -> dict[str, Any]:
    box = face.box
    cells = {"face_id": face.face_id, "emotion": face.emotion, "confidence": face.confidence}
    cells |= {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
    cells["quality"] = face.quality.value
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in cells.items()}


def json_printer(source_name: str, has_times: bool) -> Write:
    """Return a function that prints a result as one line of JSON.

    :param source_name: names the frames that have no name of their own.
    :param has_times: False for pictures, whose ``time_s`` is null.
    """

    def write(result: FrameEmotions) -> None:
        faces = [_cells(face) | {"scores": _scores(face)} for face in result.faces]
        print(json.dumps(_place(result, source_name, has_times) | {"faces": faces}), flush=True)

    return write


def _place(result: FrameEmotions, source_name: str, has_times: bool) -> dict[str, Any]:
    time_s = round(result.time_s, 4) if has_times else None
    return {"name": result.frame.name or source_name, "time_s": time_s}


def _scores(face: FaceEmotion) -> dict[str, float]:
    return {e: round(float(s), 4) for e, s in zip(EMOTIONS, face.scores, strict=True)}


def csv_writer(file: IO[str], source_name: str, has_times: bool) -> Write:
    """Return a function that writes a header, then a row per face.

    :param source_name: names the frames that have no name of their own.
    :param has_times: False for pictures, whose ``time_s`` is empty.
    """
    writer = csv.DictWriter(file, (*_COLUMNS, *EMOTIONS))
    writer.writeheader()

    def write(result: FrameEmotions) -> None:
        for face in result.faces:
            place = _place(result, source_name, has_times)
            writer.writerow(place | _cells(face) | _scores(face))

    return write


def check_annotate(output: Path, source: FrameSource, path: Path) -> None:
    """Refuse outputs that do not fit the source or cannot be written.

    :raises ValueError: naming the output and what is expected.
    """
    is_image = cv2.haveImageWriter(str(output))
    is_video = output.suffix.lower() in _VIDEO_SUFFIXES
    if not isinstance(source, PictureFolder):
        is_right, expected = is_video, f"a video: NAME{', NAME'.join(_VIDEO_SUFFIXES)}"
    elif not path.is_dir():
        is_right, expected = is_image, "a picture, such as NAME.png"
    else:
        is_file = output.exists() and not output.is_dir()
        is_right, expected = not (is_image or is_video or is_file), "a folder"
    if not is_right:
        raise ValueError(f"--annotate {output}: for this source, expected the path of {expected}")
    if isinstance(source, PictureFolder) and path.is_dir():
        while not output.exists():  # parents are made
            output = output.parent
        if not os.access(output, os.W_OK):
            raise ValueError(f"--annotate: cannot write in {output}: no permission")
    else:
        check_writable(output, "--annotate")


def check_writable(output: Path, option: str) -> None:
    """Refuse a file that cannot be written.

    :param option: that gave the file, used in the error.
    :raises ValueError: naming the option, the file and the reason.
    """
    if str(output) == "-":
        reason = "expected the path of a file; --json prints the results"
    elif output.is_dir():
        reason = "it is a folder"
    elif not output.parent.is_dir():
        reason = f"{output.parent} is not an existing folder"
    elif not os.access(output if output.exists() else output.parent, os.W_OK):
        reason = "no permission"
    else:
        return
    raise ValueError(f"{option}: cannot write {output}: {reason}")


def annotator(output: Path, source: FrameSource, path: Path, stack: ExitStack) -> Write:
    """Return a function that draws results into pictures or a video.

    :param output: where to write.
    :param source: of the results; decides on pictures or a video.
    :param path: of the source.
    :param stack: closes the video.
    """
    if not isinstance(source, PictureFolder):
        video = stack.enter_context(VideoWriter(output, source.rate_hz or DEFAULT_RATE_HZ))
        return lambda result: video.write(annotate(result.frame.image, result.faces))
    if path.is_dir():
        output.mkdir(parents=True, exist_ok=True)

    def write(result: FrameEmotions) -> None:
        # A format that OpenCV can always write.
        place = output / f"{result.frame.name}.png" if path.is_dir() else output
        picture = annotate(result.frame.image, result.faces)
        _write_picture(place, picture)

    return write


def _write_picture(path: Path, picture: RgbImage) -> None:
    try:
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        done, content = cv2.imencode(path.suffix, bgr)
    except cv2.error:
        done = False
    if not done:
        raise ValueError(f"cannot write {path}: is it a picture's name in an existing folder?")
    write_atomically(path, content.tobytes())
