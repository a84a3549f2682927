# SPDX-License-Identifier: Apache-2.0
"""Publishes our faces as REP-155 (ROS4HRI) wants them."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from typing import Any, Final

import numpy as np
from fer_msgs.msg import EmotionArray, EmotionStamped
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import Image

from fer_common.nodes.parameters import config_from_parameters, declare_options, option_value
from fer_common.options import option
from fer_perception.emotions import EMOTIONS
from fer_perception.face import BoundingBox
from fer_perception.images.decoding import ImageError
from fer_perception.nodes.image_messages import to_image_message, to_rgb

from ..expression_names import DEFAULT_NAMES, HRI_EXPRESSIONS
from ..face_crop import aligned, cropped
from ..image_buffer import ImageBuffer
from ..ros4hri_messages import FACES_TOPIC, Ros4HriMessages
from .run_bridge import run_bridge


@dataclass(frozen=True, slots=True)
class Ros4HriSettings:
    """Parameters of the ROS4HRI bridge."""

    publish_crops: bool = option(
        False,
        "Publish pictures of the faces ('cropped', 'aligned') while someone subscribes to them.",
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
        "Time for which the topics of a face that has left are kept [s].",
        minimum=0.0,
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
                f"Word of hri_msgs/Expression for {emotion}.",
                choices=HRI_EXPRESSIONS,
                read_only=True,
            ),
        )
        for emotion in EMOTIONS
    ],
    frozen=True,
)
"""The word for each of our classes, as parameters ``expression.<emotion>``."""

_LATCHED: Final = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


class _FaceTopics:
    """The publishers of one face."""

    def __init__(self, node: Node, face_id: str, types: dict[str, type]) -> None:
        self.last_seen_ns = 0
        self._node = node
        self._publishers = {
            name: node.create_publisher(message_type, f"{FACES_TOPIC}/{face_id}/{name}", 10)
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
    """Subscribes ``emotions`` (and ``image`` for crops); publishes ``/humans/faces/...``."""

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
        self._faces: dict[str, _FaceTopics] = {}
        self._tracked_ids: list[str] | None = None
        self._tracked = self.create_publisher(
            self._messages.ids_type, f"{FACES_TOPIC}/tracked", _LATCHED
        )
        self.create_subscription(EmotionArray, "emotions", self._on_emotions, 10)

    def close(self) -> None:
        """Nothing to give back."""

    def _on_image(self, message: Image) -> None:
        stamp = message.header.stamp
        self._images.put((stamp.sec, stamp.nanosec), message)

    def _on_emotions(self, message: EmotionArray) -> None:
        now_ns = self.get_clock().now().nanoseconds
        ids = [face.face_id for face in message.faces if face.face_id]
        # The topics first, then the list that sends others to look for them.
        for face_id in ids:
            if face_id not in self._faces:
                self._faces[face_id] = _FaceTopics(self, face_id, self._types)
            self._faces[face_id].last_seen_ns = now_ns
        if ids != self._tracked_ids:
            self._tracked.publish(self._messages.ids_type(header=message.header, ids=ids))
            self._tracked_ids = ids
        for face in message.faces:
            if face.face_id:
                self._publish_face(face, message.image_width, message.image_height)
        self._publish_crops(message)
        self._forget_faces(now_ns)

    def _publish_face(self, face: EmotionStamped, width: int, height: int) -> None:
        topics = self._faces[face.face_id]
        topics.publish("roi", self._messages.roi(face, width, height))
        topics.publish("landmarks", self._messages.landmarks(face, width, height))
        topics.publish("expression", self._messages.expression(face))

    def _publish_crops(self, message: EmotionArray) -> None:
        stamp = message.header.stamp
        image_message = self._images.take((stamp.sec, stamp.nanosec))
        wanted = [
            face
            for face in message.faces
            if face.face_id
            and any(self._faces[face.face_id].is_wanted(name) for name in ("cropped", "aligned"))
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
            topics = self._faces[face.face_id]
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

    def _forget_faces(self, now_ns: int) -> None:
        keep_ns = option_value(self, "keep_topics_s") * 1e9
        for face_id, topics in list(self._faces.items()):
            # A clock that went back makes no face old.
            if now_ns - topics.last_seen_ns > keep_ns:
                topics.destroy()
                del self._faces[face_id]


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    run_bridge(Ros4HriNode, args)


if __name__ == "__main__":
    main()
