# SPDX-License-Identifier: Apache-2.0
"""Read the images of a bag one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fer_perception.face import RgbImage
from fer_perception.images.compressed import DecodedImage, decode_compressed
from fer_perception.images.decoding import ImageError, decode_raw

from .bag_error import BagError
from .bag_reader import BagTopic, OpenBag
from .message_types import MessageTypes

IMAGE_TYPE: Final = "sensor_msgs/msg/Image"
COMPRESSED_TYPE: Final = "sensor_msgs/msg/CompressedImage"


@dataclass(frozen=True, eq=False)
class BagImage:
    """An image of a bag.

    :ivar time_ns: time of evaluation: its stamp, or its time of recording.
    :ivar stamp_ns: of its header.
    :ivar recorded_ns: time of recording.
    :ivar frame_id: of its header.
    :ivar pixels: None where it cannot be read.
    :ivar error: why it cannot be read, or why a part of it may be missing; else empty.
    """

    time_ns: int
    stamp_ns: int
    recorded_ns: int
    frame_id: str
    pixels: RgbImage | None
    error: str = ""


def choose_image_topic(topics: Iterable[BagTopic], asked: str = "", bag: str = "the bag") -> str:
    """Return the topic to read images from.

    Of a topic that is recorded raw and compressed, this is the raw one.

    :param asked: the user's choice; empty for the only one.
    :param bag: the bag's name in errors.
    :raises BagError: when there is none, or several without a choice.
    """
    known = {topic.name: topic for topic in topics}
    images = {
        name: topic
        for name, topic in known.items()
        if topic.type_name in (IMAGE_TYPE, COMPRESSED_TYPE) and topic.message_count
    }
    listed = ", ".join(
        f"{topic.name} ({topic.type_name}, {topic.message_count})" for topic in known.values()
    )
    if asked:
        if asked in images:
            return asked
        what = "holds no images" if asked in known else "is not in the bag"
        raise BagError(f"{bag}: {asked} {what}; its topics: {listed or 'none'}")
    if not images:
        raise BagError(
            f"{bag} holds no images ({IMAGE_TYPE} or CompressedImage); its topics: "
            f"{listed or 'none'}"
        )
    twins = {name for name in images if name.endswith("/compressed") and name[:-11] in images}
    candidates = [name for name in images if name not in twins]
    if len(candidates) > 1:
        choices = ", ".join(f"{name} ({images[name].message_count})" for name in candidates)
        raise BagError(
            f"{bag} holds {len(candidates)} image topics: {choices}; choose one with --image-topic"
        )
    return candidates[0]


def images(
    bag: OpenBag, types: MessageTypes, topic: str, by_recording: bool = False
) -> Iterator[BagImage]:
    """Yield the images of ``topic`` in the order of their recording.

    :param by_recording: time them by their recording instead of their stamps.
    """
    type_name = bag.topics[topic].type_name
    for message in bag.messages({topic}):
        yield read_image(message.data, type_name, message.stamp_ns, types, by_recording)


def read_image(
    data: bytes, type_name: str, recorded_ns: int, types: MessageTypes, by_recording: bool = False
) -> BagImage:
    """Decode a serialised image message, or record its error."""
    try:
        message = types.read(data, type_name)
    except BagError as error:
        return BagImage(recorded_ns, recorded_ns, recorded_ns, "", None, str(error))
    stamp = message.header.stamp
    stamp_ns = stamp.sec * 10**9 + stamp.nanosec
    time_ns = recorded_ns if by_recording or not stamp_ns else stamp_ns
    frame_id = message.header.frame_id
    try:
        decoded = _decode(message, type_name)
    except ImageError as error:
        return BagImage(time_ns, stamp_ns, recorded_ns, frame_id, None, str(error))
    return BagImage(time_ns, stamp_ns, recorded_ns, frame_id, decoded.pixels, decoded.damage)


def _decode(message: Any, type_name: str) -> DecodedImage:
    if type_name == COMPRESSED_TYPE:
        return decode_compressed(message.data, message.format)
    return DecodedImage(decode_raw(message))
