# SPDX-License-Identifier: Apache-2.0
"""Recognise the expressions of faces found by another REP-155 detector."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, Final

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, qos_profile_sensor_data
from rclpy.time import Time
from sensor_msgs.msg import Image

from fer_common.nodes.parameters import config_from_parameters, declare_options
from fer_common.options import option
from fer_perception.images.decoding import ImageError
from fer_perception.nodes.emotion_messages import to_emotion_array
from fer_perception.nodes.image_messages import to_rgb
from fer_perception.runtime.frame_clock import FrameClock
from fer_perception.settings import PerceptionSettings, build_pipeline

from ..expression_names import DEFAULT_NAMES
from ..ros4hri_messages import FACES_TOPIC, Ros4HriMessages
from .run_bridge import run_bridge

_LATCHED: Final = QoSProfile(depth=10, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


@dataclass(frozen=True, slots=True)
class HriExpressionSettings(PerceptionSettings):
    """Parameters of the node: perception, and the picture to read."""

    crop: str = option(
        "cropped",
        "Picture of a face to read: /humans/faces/<id>/cropped or .../aligned.",
        choices=("cropped", "aligned"),
    )


@dataclass(frozen=True)
class _FaceTopics:
    subscription: Any
    publisher: Any
    clock: FrameClock


class HriExpressionNode(Node):
    """Subscribe to ``/humans/faces/tracked`` and the pictures of each face.

    Publishes ``/humans/faces/<id>/expression``. The face is detected again in its picture, as the
    networks require our alignment; where it is not found, the expression is unknown.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("hri_expression", **kwargs)
        # The pipeline is built once: only options that apply per message can change at run time.
        declare_options(self, HriExpressionSettings, changeable={"min_confidence"})
        settings = config_from_parameters(self, HriExpressionSettings)
        self._messages = Ros4HriMessages(DEFAULT_NAMES)
        self._expression_type: type = self._messages.types["expression"]
        self._pipeline = build_pipeline(settings)
        self._crop = settings.crop
        self._faces: dict[str, _FaceTopics] = {}
        self._tracked: dict[str, tuple[str, ...]] = {}
        # A volatile subscription matches every detector; a transient-local one also receives the
        # last message of a detector that publishes on change only.
        for qos in (QoSProfile(depth=10), _LATCHED):
            self.create_subscription(
                self._messages.ids_type,
                f"{FACES_TOPIC}/tracked",
                self._on_tracked,
                qos,
                event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
            )

    def close(self) -> None:
        """Release nothing: the node holds no device or thread."""

    def _on_tracked(self, message: Any) -> None:
        # Each camera has its own detector with its own list.
        self._tracked[message.header.frame_id] = tuple(message.ids)
        if not message.ids:
            del self._tracked[message.header.frame_id]
        ids = {face_id for faces in self._tracked.values() for face_id in faces}
        for face_id in set(self._faces) - ids:
            topics = self._faces.pop(face_id)
            self.destroy_subscription(topics.subscription)
            self.destroy_publisher(topics.publisher)
        self._pipeline.smoother.keep_only(ids)
        for face_id in ids - set(self._faces):
            topic = f"{FACES_TOPIC}/{face_id}"
            self._faces[face_id] = _FaceTopics(
                self.create_subscription(
                    Image,
                    f"{topic}/{self._crop}",
                    lambda image, face_id=face_id: self._on_crop(face_id, image),
                    qos_profile_sensor_data,
                ),
                self.create_publisher(self._expression_type, f"{topic}/expression", 10),
                FrameClock(),
            )

    def _on_crop(self, face_id: str, message: Image) -> None:
        try:
            image = to_rgb(message)
        except ImageError as error:
            self.get_logger().error(
                f"a picture of face {face_id} cannot be used: {error}", throttle_duration_sec=10.0
            )
            return
        topics = self._faces.get(face_id)
        if topics is None:
            return
        found = self._pipeline.recognize(image)
        if not found:
            topics.publisher.publish(self._expression_type(header=message.header))
            return
        stamp_s = Time.from_msg(message.header.stamp).nanoseconds * 1e-9
        time_s = topics.clock.advance(stamp_s, time.monotonic()).time_s
        smoother = self._pipeline.smoother
        scores = smoother.update(face_id, found[0].scores, time_s)
        emotion = replace(
            found[0], face_id=face_id, scores=scores, steady_label=smoother.label(face_id)
        )
        emotions = to_emotion_array(
            [emotion],
            message.header,
            (image.shape[1], image.shape[0]),
            self._pipeline.recognizer.model_id,
            self.get_parameter("min_confidence").value,
            0.0,
        )
        topics.publisher.publish(self._messages.expression(emotions.faces[0]))


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    run_bridge(HriExpressionNode, args)


if __name__ == "__main__":
    main()
