# SPDX-License-Identifier: Apache-2.0
"""Publish the colour, also in robots' own messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.duration import Duration
from rclpy.exceptions import InvalidTopicNameException
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from std_msgs.msg import ColorRGBA

from ambient_light_driver.devices.claims import Claim
from ambient_light_driver.light_state import LightState
from ambient_light_driver.nodes.color_relay import ColorRelay, RelayConfig, make_relay
from ambient_light_driver.nodes.emotion_conversion import message_from_color
from fer_common.options import ConfigError

LATCHED = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""Latched: late subscribers receive the last colour at once."""

LAST_COLOR_S = 0.5
"""Timeout for subscribers to acknowledge the last colour [s]."""


class ColorOutput:
    """Publishers of the colour on ``~/color`` and to relays.

    :param node: the node to publish for.
    :param relays: name -> options.
    :raises ConfigError: when a relay's messages are missing or its topic name is invalid.
    """

    def __init__(self, node: LifecycleNode, relays: Mapping[str, RelayConfig]) -> None:
        self._node = node
        made = {f"relay {name}": make_relay(config) for name, config in relays.items()}
        topics = {
            name: self._topic(name, relay.config.topic or relay.topic)
            for name, relay in made.items()
        }
        self.claims: dict[str, tuple[Claim, ...]] = {
            name: (Claim(f"topic:/{topic}"),) for name, topic in topics.items()
        }
        """Relay -> its claims."""
        self._color_publisher = node.create_lifecycle_publisher(
            ColorRGBA,
            "~/color",
            LATCHED,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._relays: dict[str, tuple[ColorRelay, Any]] = {
            name: (relay, node.create_lifecycle_publisher(relay.message_type, topics[name], 1))
            for name, relay in made.items()
        }
        self._taken: set[str] = set()
        self.published = 0
        """Colours published."""

    def publish(self, state: LightState, may_drive: Callable[[str], bool]) -> None:
        """Publish a colour.

        :param may_drive: whether the relay of this name may publish.
        """
        self._color_publisher.publish(message_from_color(state.color))
        self.published += 1
        for name in self._relays:
            if may_drive(name):
                self._taken.add(name)
                self._relay(name, state, last=False)
            elif name in self._taken:
                # Another node drives it now: releasing the lights would interfere with that node.
                self._taken.discard(name)

    def publish_last(self, state: LightState) -> None:
        """Publish the final colour and release the robots' lights."""
        self._color_publisher.publish(message_from_color(state.color))
        for name in self._taken:
            self._relay(name, state, last=True)
        self._taken.clear()

    def wait_for_last(self) -> None:
        """Wait for subscribers' acknowledgement, at most :data:`LAST_COLOR_S` each."""
        timeout = Duration(seconds=LAST_COLOR_S)
        for publisher in self._publishers():
            publisher.wait_for_all_acked(timeout)

    def destroy(self) -> None:
        """Destroy the publishers."""
        for publisher in self._publishers():
            self._node.destroy_lifecycle_publisher(publisher)

    def _publishers(self) -> list[Any]:
        return [self._color_publisher, *(publisher for _, publisher in self._relays.values())]

    def _relay(self, name: str, state: LightState, last: bool) -> None:
        relay, publisher = self._relays[name]
        stamp = self._node.get_clock().now().to_msg()
        publisher.publish(relay.message(state.color, stamp, time.monotonic(), last))

    def _topic(self, name: str, topic: str) -> str:
        try:
            return self._node.resolve_topic_name(topic)
        except (RuntimeError, InvalidTopicNameException) as error:
            raise ConfigError(f"{name}: {topic!r} is not a topic name") from error
