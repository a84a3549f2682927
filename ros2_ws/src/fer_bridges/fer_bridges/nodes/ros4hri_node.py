# SPDX-License-Identifier: Apache-2.0
"""Publish faces according to REP-155 (ROS4HRI)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, make_dataclass
from typing import Any, Final

import numpy as np
from fer_msgs.msg import EmotionArray, EmotionStamped
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fer_common.nodes.parameters import config_from_parameters, declare_options, option_value
from fer_common.nodes.world_time import world_time_s
from fer_common.options import option
from fer_common.resettable_clock import Stopwatch
from fer_perception.emotions import EMOTIONS
from fer_perception.face import BoundingBox
from fer_perception.images.decoding import ImageError
from fer_perception.nodes.image_messages import to_image_message, to_rgb

from ..expression_names import DEFAULT_NAMES, HRI_EXPRESSIONS
from ..face_crop import aligned, cropped
from ..image_buffer import ImageBuffer
from ..public_ids import PublicIds
from ..ros4hri_messages import FACES_TOPIC, Ros4HriMessages
from .run_bridge import run_bridge


@dataclass(frozen=True, slots=True)
class Ros4HriSettings:
    """Parameters of the ROS4HRI bridge."""

    publish_crops: bool = option(
        False,
        "Publish pictures of the faces ('cropped', 'aligned') while they have subscribers.",
        read_only=True,
    )
    crop_width: int = option(
        128, "Width of these pictures [px].", minimum=16, maximum=1024, read_only=True
    )
    crop_height: int = option(
        128, "Height of these pictures [px].", minimum=16, maximum=1024, read_only=True
    )
    keep_topics_s: float = option(
        10.0,
        "Time to keep the topics of a face that has left [s].",
        minimum=0.0,
        maximum=3600.0,
    )
    silent_after_s: float = option(
        2.0,
        "Time without an image after which all faces count as left [s].",
        minimum=0.1,
        maximum=3600.0,
    )


ExpressionNames: Final = make_dataclass(
    "ExpressionNames",
    [
        (
            emotion,
            str,
            option(
                DEFAULT_NAMES[emotion],
                f"Name of hri_msgs/Expression for {emotion}.",
                choices=HRI_EXPRESSIONS,
                read_only=True,
            ),
        )
        for emotion in EMOTIONS
    ],
    frozen=True,
)
"""The name for each of our classes, as parameters ``expression.<emotion>``."""

_LATCHED: Final = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
_LOOK_PERIOD_S: Final = 0.25
_LAST_LIST_S: Final = 0.5
"""Timeout for subscribers to acknowledge the last list [s]."""


class _FaceTopics:
    """The publishers of one face."""

    def __init__(self, node: Node, public_id: str, types: dict[str, type], now_s: float) -> None:
        self.unseen = Stopwatch(now_s)
        self._node = node
        self._publishers = {
            name: node.create_publisher(message_type, f"{FACES_TOPIC}/{public_id}/{name}", 10)
            for name, message_type in types.items()
        }

    def publish(self, name: str, message: Any) -> None:
        self._publishers[name].publish(message)

    def is_wanted(self, name: str) -> bool:
        publisher = self._publishers.get(name)
        return publisher is not None and publisher.get_subscription_count() > 0

    def destroy(self) -> None:
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)


class Ros4HriNode(Node):
    """Subscribe to ``emotions`` (``image`` for crops); publish ``/humans/faces/...``.

    ``tracked`` is published with every image, and empty when images stop or the node ends. Ids are
    unique among robots and runs (:class:`~fer_bridges.public_ids.PublicIds`).
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("ros4hri", **kwargs)
        declare_options(self, Ros4HriSettings)
        declare_options(self, ExpressionNames, "expression.")
        settings = config_from_parameters(self, Ros4HriSettings)
        names: Any = config_from_parameters(self, ExpressionNames, "expression.")
        self._messages = Ros4HriMessages({name: getattr(names, name) for name in EMOTIONS})
        self._crop_size = (settings.crop_width, settings.crop_height)
        self._types = dict(self._messages.types)
        self._images: ImageBuffer[Image] = ImageBuffer()
        if settings.publish_crops:
            self._types |= {"cropped": Image, "aligned": Image}
            self.create_subscription(Image, "image", self._on_image, qos_profile_sensor_data)
        self._public = PublicIds(self.get_namespace())
        self._faces: dict[str, _FaceTopics] = {}
        self._silence = Stopwatch(world_time_s(self))
        self._header: Header | None = None
        self._sources: set[bytes] = set()
        self._tracked = self.create_publisher(
            self._messages.ids_type, f"{FACES_TOPIC}/tracked", _LATCHED
        )
        self._emotions = self.create_subscription(EmotionArray, "emotions", self._on_emotions, 10)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_LOOK_PERIOD_S, self._look, clock=steady)

    def close(self) -> None:
        """Publish an empty list of tracked faces."""
        if self._header is not None:
            self._publish_empty_list()
            self._tracked.wait_for_all_acked(Duration(seconds=_LAST_LIST_S))

    def _look(self) -> None:
        """Detect a source that stopped or was restarted."""
        sources = self._sources_now()
        if self._sources and sources != self._sources:
            self._public.begin_run()
        self._sources = sources
        now_s = world_time_s(self)
        silent_s = option_value(self, "silent_after_s")
        if self._header is not None and self._silence.seconds(now_s) > silent_s:
            self._publish_empty_list()
            self._public.begin_run()
        self._forget_faces(now_s)

    def _sources_now(self) -> set[bytes]:
        infos = self.get_publishers_info_by_topic(self._emotions.topic_name)
        return {bytes(info.endpoint_gid) for info in infos}

    def _publish_empty_list(self) -> None:
        frame_id = self._header.frame_id if self._header is not None else ""
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=frame_id)
        self._tracked.publish(self._messages.ids_type(header=header, ids=[]))
        self._header = None

    def _on_image(self, message: Image) -> None:
        stamp = message.header.stamp
        self._images.put((stamp.sec, stamp.nanosec), message)

    def _on_emotions(self, message: EmotionArray) -> None:
        # The next source may start before the first look.
        self._sources = self._sources or self._sources_now()
        now_s = world_time_s(self)
        self._silence.restart(now_s)
        self._header = message.header
        faces = [face for face in message.faces if face.face_id]
        ids = {face.face_id: self._public.of(face.face_id) for face in faces}
        # The topics first, then the list that makes others subscribe to them.
        for public_id in ids.values():
            if public_id not in self._faces:
                self._faces[public_id] = _FaceTopics(self, public_id, self._types, now_s)
            self._faces[public_id].unseen.restart(now_s)
        self._tracked.publish(
            self._messages.ids_type(header=message.header, ids=list(ids.values()))
        )
        for face in faces:
            self._publish_face(face, message.image_width, message.image_height)
        self._publish_crops(message.header, faces)

    def _publish_face(self, face: EmotionStamped, width: int, height: int) -> None:
        topics = self._topics(face)
        topics.publish("roi", self._messages.roi(face, width, height))
        topics.publish("landmarks", self._messages.landmarks(face, width, height))
        topics.publish("expression", self._messages.expression(face))

    def _publish_crops(self, header: Header, faces: Sequence[EmotionStamped]) -> None:
        stamp = header.stamp
        image_message = self._images.take((stamp.sec, stamp.nanosec))
        wanted = [
            face
            for face in faces
            if any(self._topics(face).is_wanted(name) for name in ("cropped", "aligned"))
        ]
        if image_message is None or not wanted:
            return
        try:
            image = to_rgb(image_message)
        except ImageError as error:
            self.get_logger().error(
                f"an image cannot be used: {error}", throttle_duration_sec=10.0
            )
            return
        for face in wanted:
            topics = self._topics(face)
            box = BoundingBox(
                face.roi.x_offset, face.roi.y_offset, face.roi.width, face.roi.height
            )
            landmarks = np.array([[point.x, point.y] for point in face.landmarks])
            crops = {
                "cropped": cropped(image, box, self._crop_size),
                "aligned": aligned(image, landmarks, self._crop_size),
            }
            for name, crop in crops.items():
                if crop is not None and topics.is_wanted(name):
                    topics.publish(name, to_image_message(crop, face.header))

    def _topics(self, face: EmotionStamped) -> _FaceTopics:
        return self._faces[self._public.of(face.face_id)]

    def _forget_faces(self, now_s: float) -> None:
        keep_s = option_value(self, "keep_topics_s")
        for public_id, topics in list(self._faces.items()):
            if topics.unseen.seconds(now_s) > keep_s:
                topics.destroy()
                del self._faces[public_id]
                self._public.forget(public_id)


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    run_bridge(Ros4HriNode, args)


if __name__ == "__main__":
    main()
