# SPDX-License-Identifier: Apache-2.0
"""Copy a bag and add the emotions to its topics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Final

from .bags.bag_error import BagError
from .bags.bag_images import BagImage, read_image
from .bags.bag_reader import OpenBag
from .bags.bag_writer import BagWriter
from .bags.earlier_definitions import EarlierDefinitions
from .bags.message_types import EMOTION_TYPE, EMOTIONS_TYPE, MessageTypes
from .evaluation import EvaluatedFrame

EMOTION_TOPIC: Final = "/fer_perception/emotion"
EMOTIONS_TOPIC: Final = "/fer_perception/emotions"


class EmotionBag(AbstractContextManager["EmotionBag"]):
    """Write a copy of a bag while it is read.

    Topics keep their types and the QoS that their publishers offered. Emotions in the original bag
    are replaced; other messages of fer_msgs are converted to the installed definition.

    :param path: of the new bag, in mcap storage.
    :raises BagError: when fer_msgs is not installed, or ``path`` exists.
    """

    def __init__(
        self, path: Path, bag: OpenBag, types: MessageTypes, min_confidence: float
    ) -> None:
        try:
            from fer_perception.nodes import emotion_messages
        except ImportError as error:
            raise BagError(
                f"--write-bag needs fer_msgs ({error}): run 'make build' (or colcon build) and "
                "source install/setup.bash"
            ) from error
        self._conversion = emotion_messages
        self._bag, self._types = bag, types
        self._earlier = EarlierDefinitions(bag.topics.values())
        self._min_confidence = min_confidence
        ours = {EMOTION_TOPIC, EMOTIONS_TOPIC}
        self._copied = {
            name: topic
            for name, topic in bag.topics.items()
            if name not in types.unknown and name not in ours
        }
        written = MessageTypes(
            topic for topic in bag.topics.values() if not topic.type_name.startswith("fer_msgs/")
        )
        written.learn_fer_msgs()
        self._writer = BagWriter(path, written)

    def __enter__(self) -> EmotionBag:
        """Create the copy."""
        self._writer.__enter__()
        for topic in self._copied.values():
            self._writer.add_topic(topic.name, topic.type_name, topic.qos)
        self._writer.add_topic(EMOTION_TOPIC, EMOTION_TYPE)
        self._writer.add_topic(EMOTIONS_TOPIC, EMOTIONS_TYPE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the copy, or drop it after a failure."""
        self._writer.__exit__(kind, error, traceback)

    def images(self, image_topic: str, by_recording: bool) -> Iterator[BagImage]:
        """Yield the images while copying every message, as :func:`.bag_images.images` does."""
        type_name = self._bag.topics[image_topic].type_name
        for message in self._bag.messages(set(self._copied)):
            data = message.data
            if message.topic in self._earlier.topics:
                data = self._earlier.convert(data, self._copied[message.topic].type_name)
            self._writer.write(message.topic, message.stamp_ns, data)
            if message.topic == image_topic:
                yield read_image(
                    message.data, type_name, message.stamp_ns, self._types, by_recording
                )

    def add(self, frame: EvaluatedFrame, model_id: str) -> None:
        """Write the emotions of a frame at its image's time of recording."""
        from builtin_interfaces.msg import Time
        from std_msgs.msg import Header

        stamp_ns = frame.image.stamp_ns
        header = Header(
            stamp=Time(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9),
            frame_id=frame.image.frame_id,
        )
        message = self._conversion.to_emotion_array(
            frame.emotions,
            header,
            frame.image_size,
            model_id,
            self._min_confidence,
            frame.latency_s,
        )
        self._writer.write_message(EMOTIONS_TOPIC, frame.image.recorded_ns, message)
        for face in message.faces:
            self._writer.write_message(EMOTION_TOPIC, frame.image.recorded_ns, face)
