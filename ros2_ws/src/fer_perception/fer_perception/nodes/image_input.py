# SPDX-License-Identifier: Apache-2.0
"""Subscribe to raw or compressed images and diagnose missing ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from rclpy.event_handler import QoSRequestedIncompatibleQoSInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import qos_policy_name_from_kind, qos_profile_sensor_data
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage, Image

ImageMessage: TypeAlias = Image | CompressedImage

TRANSPORTS: Final[dict[str, type[Image] | type[CompressedImage]]] = {
    "raw": Image,
    "compressed": CompressedImage,
}
_TYPE_NAMES: Final = {
    "raw": "sensor_msgs/msg/Image",
    "compressed": "sensor_msgs/msg/CompressedImage",
}
_SUFFIX: Final = "/compressed"


@dataclass(frozen=True)
class InputState:
    """The publishers of the images.

    :ivar topic: full name.
    :ivar publishers: their number, of any type.
    :ivar incompatible_qos: policy that prevents a connection; empty without one.
    :ivar wrong_type: what to change when they publish another type; empty otherwise.
    """

    topic: str
    publishers: int = 1
    incompatible_qos: str = ""
    wrong_type: str = ""


class ImageInput:
    """The subscription of ``image``, or of ``compressed`` below it as in image_transport.

    :param on_image: receives each message.
    """

    def __init__(self, node: Node, on_image: Callable[[ImageMessage], None]) -> None:
        self._node = node
        self._on_image = on_image
        self._subscription: Any = None
        self._transport = "raw"
        self._topic = self._incompatible_qos = ""

    @property
    def is_subscribed(self) -> bool:
        """Return whether images are received."""
        return self._subscription is not None

    @property
    def topic(self) -> str:
        """Return the resolved topic name; empty before the first subscription."""
        return self._topic

    def subscribe(self, transport: str) -> None:
        """Start receiving images, replacing an earlier subscription.

        :param transport: one of :data:`TRANSPORTS`.
        :raises: rclpy's exceptions for invalid names.
        """
        self.unsubscribe()
        self._transport, self._incompatible_qos = transport, ""
        self._subscription = self._node.create_subscription(
            TRANSPORTS[transport],
            "image" if transport == "raw" else self._compressed_topic(),
            self._on_image,
            qos_profile_sensor_data,
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=self._on_incompatible_qos),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._topic = self._subscription.topic_name
        self._node.get_logger().info(f"waiting for images on {self._topic}")

    def unsubscribe(self) -> None:
        """Stop receiving images."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def state(self) -> InputState:
        """Return the current state of the publishers."""
        types = {info.topic_type for info in self._node.get_publishers_info_by_topic(self._topic)}
        return InputState(
            self._topic,
            self._node.count_publishers(self._topic),
            self._incompatible_qos,
            self._wrong_type(types) if types and _TYPE_NAMES[self._transport] not in types else "",
        )

    def _compressed_topic(self) -> str:
        """Return the compressed topic: ``image`` or the full name may be remapped."""
        name = f"image{_SUFFIX}"
        remapped = self._node.resolve_topic_name(name)
        if remapped != self._node.resolve_topic_name(name, only_expand=True):
            return remapped
        base = self._node.resolve_topic_name("image")
        return base if base.endswith(_SUFFIX) else base + _SUFFIX

    def _wrong_type(self, types: set[str]) -> str:
        words = f"{self._topic} carries {', '.join(sorted(types))}"
        for transport, type_name in _TYPE_NAMES.items():
            if type_name in types:
                return f"{words}: set the parameter image_transport to {transport}"
        return f"{words}: remap 'image' to a topic of {_TYPE_NAMES[self._transport]}"

    def _on_incompatible_qos(self, event: QoSRequestedIncompatibleQoSInfo) -> None:
        policy = qos_policy_name_from_kind(event.last_policy_kind)
        self._incompatible_qos = policy
        self._node.get_logger().error(
            f"a publisher on {self._topic} offers incompatible QoS ({policy}), so that no image "
            "will come from it: change the publisher, or start this node with the parameter "
            f"qos_overrides.{self._topic}.subscription.{policy.lower()}"
        )
