# SPDX-License-Identifier: Apache-2.0
"""Make a bag from a video or a folder of images."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any, Final

if __name__ == "__main__":
    # Before the libraries below are loaded, so that Ctrl-C ends in one line from the start.
    from fer_common.command import run

    sys.exit(run("fer_evaluation.make_bag"))

import cv2
import numpy as np
from tqdm import tqdm

from fer_common.command import printing
from fer_common.interruption import EXIT_INTERRUPTED, Interrupted, interruptible
from fer_common.options import Option
from fer_perception.emotions import EMOTIONS
from fer_perception.face import RgbImage
from fer_perception.images.frame_source import FrameSourceError, SourceReport, open_frame_source
from fer_perception.images.picture_files import skipped_entries

from .bags.bag_error import BagError
from .bags.bag_images import COMPRESSED_TYPE, IMAGE_TYPE
from .bags.bag_writer import STORAGES, BagWriter
from .bags.message_types import EMOTION_TYPE, MessageTypes
from .pipeline_options import checked
from .scoring.ground_truth import COLUMNS, LabelError, LabelRow, read_labels

FORMATS: Final = ("raw", "jpeg", "png")
TRUTH_TOPIC: Final = "/truth/emotion"
_JPEG_QUALITY: Final = 95
_START_NS: Final = 10**9
_MAX_NS: Final = 2**31 * 10**9 - 1  # of builtin_interfaces/Time
_TOPIC: Final = re.compile(r"(/(?!\w*__)[A-Za-z_][A-Za-z0-9_]*)+")


def main(args: list[str] | None = None) -> int:
    """Run the command line.

    :returns: 0 when the bag is written, 2 when it is not, 130 after an interruption.
    """
    options = _parser().parse_args(args)
    try:
        with interruptible():
            report = make_bag(options)
    except (BagError, LabelError, FrameSourceError, OSError, ValueError) as error:
        print(f"make_bag: {error}", file=sys.stderr)
        return 2
    except Interrupted:
        print("make_bag: interrupted; nothing was written", file=sys.stderr)
        return EXIT_INTERRUPTED
    for phrase in skipped_entries(options.source) if options.source.is_dir() else ():
        print(f"warning: {phrase}", file=sys.stderr)
    if report.missing:
        total = report.frames + report.missing
        print(f"warning: {report.missing} of {total} frames could not be read", file=sys.stderr)
    for count, what in (
        (report.damaged, "are damaged and decoded only in part"),
        (report.untimed, "have no time in the file and got an estimated one"),
    ):
        if count:
            print(f"warning: {count} of {report.frames} images {what}", file=sys.stderr)
    wrote = f"Wrote {options.bag}: {report.frames} images on {_topic(options)}"
    with printing(f"make_bag: {wrote}"):
        print(wrote)
    return 0


def _topic_name(text: str) -> str:
    if not _TOPIC.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"expected a topic such as /camera/image_raw, got {text!r}: each part is letters, "
            "digits and single underscores after a slash, and starts with no digit"
        )
    return text


def _topic(options: argparse.Namespace) -> str:
    return str(options.topic) if options.format == "raw" else f"{options.topic}/compressed"


def make_bag(options: argparse.Namespace) -> SourceReport:
    """Write the bag and return the counts of its frames.

    :raises BagError: when the bag cannot be written; likewise for labels and the source.
    """
    if not options.source.is_file() and not options.source.is_dir():
        raise ValueError(f"{options.source}: no such video or folder")
    # Absolute, so that a file may be called "0" or "portrait".
    path = str(options.source.absolute())
    labels = read_labels(options.labels, options.start_ns) if options.labels else []
    types = MessageTypes()
    if labels:
        types.learn_fer_msgs()
    messages = _Messages(types, options.frame_id)
    topic = _topic(options)
    waiting = sorted(labels, key=lambda row: row.stamp_ns)
    with (
        open_frame_source(path, rate_hz=options.rate, warn=_warn) as source,
        BagWriter(options.bag, types, options.storage, options.compress) as bag,
    ):
        bag.add_topic(topic, IMAGE_TYPE if options.format == "raw" else COMPRESSED_TYPE)
        if labels:
            bag.add_topic(TRUTH_TOPIC, EMOTION_TYPE)
        for frame in tqdm(source, unit="frame", disable=options.quiet):
            stamp_ns = options.start_ns + round(frame.time_s * 1e9)
            while waiting and waiting[0].stamp_ns <= stamp_ns:
                bag.write_message(TRUTH_TOPIC, stamp_ns, messages.truth(waiting.pop(0)))
            image = _at_most(frame.image, options.max_width)
            bag.write_message(topic, stamp_ns, messages.image(image, stamp_ns, options.format))
        if waiting:
            _warn(f"{len(waiting)} labels lie after the last frame: check the unit of their times")
        for row in waiting:
            bag.write_message(TRUTH_TOPIC, row.stamp_ns, messages.truth(row))
        if not source.report.frames:
            raise ValueError(f"{options.source} holds no frame that can be read")
        return source.report


def _warn(message: str) -> None:
    tqdm.write(f"warning: {message}", file=sys.stderr)


def _at_most(image: RgbImage, max_width: int) -> RgbImage:
    height, width = image.shape[:2]
    if not max_width or width <= max_width:
        return image
    size = (max_width, max(round(height * max_width / width), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


class _Messages:
    """Build messages of rosbags' classes."""

    def __init__(self, types: MessageTypes, frame_id: str) -> None:
        self._types = types.typestore.types
        self._frame_id = frame_id

    def _header(self, stamp_ns: int) -> Any:
        if not 0 <= stamp_ns <= _MAX_NS:
            raise ValueError(f"a stamp of {stamp_ns} ns: a message holds 0 to {_MAX_NS} ns")
        time = self._types["builtin_interfaces/msg/Time"](
            sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
        )
        return self._types["std_msgs/msg/Header"](stamp=time, frame_id=self._frame_id)

    def image(self, image: RgbImage, stamp_ns: int, encoding: str) -> Any:
        """Return an image message, raw or compressed."""
        height, width = image.shape[:2]
        if encoding == "raw":
            return self._types[IMAGE_TYPE](
                header=self._header(stamp_ns),
                height=height,
                width=width,
                encoding="rgb8",
                is_bigendian=0,
                step=3 * width,
                data=np.ascontiguousarray(image).reshape(-1),
            )
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if encoding == "jpeg" else []
        _, data = cv2.imencode(f".{encoding}", bgr, quality)
        return self._types[COMPRESSED_TYPE](
            header=self._header(stamp_ns), format=encoding, data=data.reshape(-1)
        )

    def truth(self, row: LabelRow) -> Any:
        """Return a label as a message."""
        box = row.box
        roi = self._types["sensor_msgs/msg/RegionOfInterest"](
            x_offset=round(box.x) if box else 0,
            y_offset=round(box.y) if box else 0,
            width=round(box.width) if box else 0,
            height=round(box.height) if box else 0,
            do_rectify=False,
        )
        scores = np.array([float(name == row.label) for name in EMOTIONS], np.float32)
        nowhere = self._types["fer_msgs/msg/Point2D"](x=float("nan"), y=float("nan"))
        return self._types[EMOTION_TYPE](
            header=self._header(row.stamp_ns),
            face_id=row.face_id,
            roi=roi,
            emotion=row.label,
            confidence=1.0,
            scores=scores,
            entropy=0.0,
            valence=float("nan"),
            arousal=float("nan"),
            detection_confidence=1.0,
            landmarks=[nowhere] * 5,
            quality=float("nan"),
            quality_faults=0,
            model_id="label",
            processing_latency=self._types["builtin_interfaces/msg/Duration"](sec=0, nanosec=0),
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make_bag", description=__doc__)
    parser.add_argument("source", type=Path, help="a video, a folder of images, or one image")
    parser.add_argument("bag", type=Path, help="folder of the new bag, which must not exist")
    parser.add_argument(
        "--labels",
        type=Path,
        help=f"CSV with columns {COLUMNS}; becomes the topic {TRUTH_TOPIC} (EmotionStamped)",
    )
    parser.add_argument("--storage", choices=sorted(STORAGES), default="mcap")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="raw",
        help="raw: sensor_msgs/Image; jpeg and png: CompressedImage (default: %(default)s)",
    )
    parser.add_argument("--compress", action="store_true", help="compress with zstd (mcap only)")
    parser.add_argument(
        "--topic",
        type=_topic_name,
        default="/camera/image_raw",
        help="(default: %(default)s)",
    )
    parser.add_argument("--frame-id", default="camera_optical_frame", help="of the images")
    parser.add_argument(
        "--rate",
        type=checked("rate", float, Option("", minimum=0.0, maximum=1000.0)),
        default=0.0,
        help="images per second in place of the video's own times; 0 for those, and for 30 in a "
        "folder (default: %(default)s)",
    )
    parser.add_argument(
        "--start-ns",
        type=checked("start_ns", int, Option("", minimum=0, maximum=_MAX_NS)),
        default=_START_NS,
        help="stamp of the first image (default: %(default)s)",
    )
    parser.add_argument(
        "--max-width",
        type=checked("max_width", int, Option("", minimum=0)),
        default=0,
        help="scale wider images down [px]; 0 keeps them",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser
