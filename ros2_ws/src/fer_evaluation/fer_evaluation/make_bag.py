# SPDX-License-Identifier: Apache-2.0
"""Make a bag of a video or a folder of images, with labels if there are some."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from tqdm import tqdm

from fer_perception.emotions import EMOTIONS
from fer_perception.face import RgbImage
from fer_perception.images.frame_source import FrameSourceError, open_frame_source

from .bags.bag_error import BagError
from .bags.bag_images import COMPRESSED_TYPE, IMAGE_TYPE
from .bags.bag_writer import STORAGES, BagWriter
from .bags.message_types import EMOTION_TYPE, MessageTypes
from .scoring.ground_truth import COLUMNS, LabelError, LabelRow, read_labels

FORMATS: Final = ("raw", "jpeg", "png")
TRUTH_TOPIC: Final = "/truth/emotion"
_JPEG_QUALITY: Final = 95
_START_NS: Final = 10**9


def main(args: list[str] | None = None) -> int:
    """Run the command line.

    :return: 0 when the bag is written, 2 when it cannot be made, 130 after an interruption.
    """
    options = _parser().parse_args(args)
    try:
        count = make_bag(options)
    except (BagError, LabelError, FrameSourceError, OSError, ValueError) as error:
        print(f"make_bag: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("make_bag: interrupted; nothing was written", file=sys.stderr)
        return 130
    print(f"Wrote {options.bag}: {count} images on {_topic(options)}")
    return 0


def _topic(options: argparse.Namespace) -> str:
    return str(options.topic) if options.format == "raw" else f"{options.topic}/compressed"


def make_bag(options: argparse.Namespace) -> int:
    """Write the bag and return how many images are in it."""
    source = open_frame_source(str(options.source), rate_hz=options.rate, warn=_warn)
    labels = read_labels(options.labels, options.start_ns) if options.labels else []
    types = MessageTypes()
    if labels:
        types.learn_fer_msgs()
    messages = _Messages(types, options.frame_id)
    topic = _topic(options)
    waiting = sorted(labels, key=lambda row: row.stamp_ns)
    count = 0
    try:
        with BagWriter(options.bag, types, options.storage, options.compress) as bag:
            bag.add_topic(topic, IMAGE_TYPE if options.format == "raw" else COMPRESSED_TYPE)
            if labels:
                bag.add_topic(TRUTH_TOPIC, EMOTION_TYPE)
            for frame in tqdm(source, unit="frame", disable=options.quiet):
                count += 1
                stamp_ns = options.start_ns + round(frame.time_s * 1e9)
                while waiting and waiting[0].stamp_ns <= stamp_ns:
                    bag.write_message(TRUTH_TOPIC, stamp_ns, messages.truth(waiting.pop(0)))
                image = _at_most(frame.image, options.max_width)
                message = messages.image(image, stamp_ns, options.format)
                bag.write_message(topic, stamp_ns, message)
            for row in waiting:
                bag.write_message(TRUTH_TOPIC, row.stamp_ns, messages.truth(row))
            if not count:
                raise ValueError(f"{options.source} gives no frame")
    finally:
        source.close()
    return count


def _warn(message: str) -> None:
    print(f"make_bag: warning: {message}", file=sys.stderr)


def _at_most(image: RgbImage, max_width: int) -> RgbImage:
    height, width = image.shape[:2]
    if not max_width or width <= max_width:
        return image
    size = (max_width, round(height * max_width / width))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


class _Messages:
    """Makes messages of rosbags' classes."""

    def __init__(self, types: MessageTypes, frame_id: str) -> None:
        self._types = types.typestore.types
        self._frame_id = frame_id

    def _header(self, stamp_ns: int) -> Any:
        time = self._types["builtin_interfaces/msg/Time"](
            sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
        )
        return self._types["std_msgs/msg/Header"](stamp=time, frame_id=self._frame_id)

    def image(self, image: RgbImage, stamp_ns: int, encoding: str) -> Any:
        """Return an image, raw or compressed."""
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
        """Return a label; it holds from its stamp on where it has no box."""
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
            model_id="label",
            processing_latency=self._types["builtin_interfaces/msg/Duration"](sec=0, nanosec=0),
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make_bag", description=__doc__)
    parser.add_argument("source", type=Path, help="a video, or a folder of images")
    parser.add_argument("bag", type=Path, help="folder of the new bag; must not exist")
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
    parser.add_argument("--topic", default="/camera/image_raw", help="(default: %(default)s)")
    parser.add_argument("--frame-id", default="camera_optical_frame", help="of the images")
    parser.add_argument(
        "--rate", type=float, default=0.0, help="images a second; 0 for the video's own, else 30"
    )
    parser.add_argument(
        "--start-ns",
        type=int,
        default=_START_NS,
        help="stamp of the first image (default: %(default)s)",
    )
    parser.add_argument(
        "--max-width", type=int, default=0, help="make wider images smaller [px]; 0: as they are"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


if __name__ == "__main__":
    sys.exit(main())
