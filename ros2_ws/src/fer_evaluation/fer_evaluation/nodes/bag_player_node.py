# SPDX-License-Identifier: Apache-2.0
"""Play a bag with ``/clock`` where ``ros2 bag play`` is not installed."""

from __future__ import annotations

import importlib
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.time import Time
from rosbags.interfaces import QosDurability
from rosgraph_msgs.msg import Clock

from fer_common.nodes.parameters import config_from_parameters, declare_options, option_value
from fer_common.options import option

from ..bags.bag_reader import BagError, BagMessage, BagTopic, OpenBag
from ..bags.earlier_definitions import EarlierDefinitions
from ..bags.playback_clock import PlaybackClock
from .exit_with_failure import run_and_exit

_CLOCK_PERIOD_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class PlayerSettings:
    """Parameters of the player."""

    bag: str = option("", "The bag: its folder, or one .mcap or .db3 file.", read_only=True)
    rate: float = option(1.0, "Recorded seconds played per second.", minimum=0.01, maximum=100.0)
    loop: bool = option(False, "Restart after the end; time then jumps back.")
    paused: bool = option(False, "Pause; /clock repeats the same time.")
    wait_for_subscribers_s: float = option(
        20.0,
        "Start when each topic has a subscriber, and after this time at the latest [s].",
        minimum=0.0,
        maximum=3600.0,
        read_only=True,
    )
    clock_subscribers: int = option(
        0,
        "Start when this many nodes subscribe to /clock.",
        minimum=0,
        maximum=1000,
        read_only=True,
    )
    delay_s: float = option(
        2.0,
        "Wait at the first message while the other nodes discover each other [s].",
        minimum=0.0,
        maximum=3600.0,
        read_only=True,
    )
    settle_s: float = option(
        2.0,
        "Time for the other nodes to handle the last message before this node ends [s].",
        minimum=0.0,
        maximum=60.0,
        read_only=True,
    )
    topics: tuple[str, ...] = option((), "Topics to play; none for all.", read_only=True)


class BagPlayerNode(Node):
    """Publish a bag's topics and ``/clock``, then end.

    :ivar failure: why the playback failed; else empty.
    :raises BagError: when the bag cannot be played.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("player", **kwargs)
        declare_options(self, PlayerSettings)
        config_from_parameters(self, PlayerSettings)  # refuses a wrong start value
        # Reliable, which also serves subscribers that ask for best effort.
        self._clock_publisher = self.create_publisher(Clock, "/clock", QoSProfile(depth=1))
        self._publishers_by_topic: dict[str, Any] = {}
        self._bag_file = OpenBag(Path(self._value("bag")).expanduser())
        self._bag = self._bag_file.__enter__()
        self._topics = self._advertise()
        self._earlier = EarlierDefinitions(
            topic for name, topic in self._bag.topics.items() if name in self._topics
        )
        self.failure = ""
        self._warned: set[str] = set()
        self._warn()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="playback", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the playback."""
        self._closing.set()
        self._thread.join()
        self._bag.close()

    def _value(self, name: str) -> Any:
        return option_value(self, name)

    def _warn(self) -> None:
        """Log each warning about the bag once."""
        for warning in self._bag.warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                self.get_logger().warning(warning)

    def _run(self) -> None:
        """Play the bag and end the node; runs in its own thread."""
        try:
            self._wait_for_subscribers()
            self._play()
        except BagError as error:
            self.failure = str(error)
        finally:
            self._warn()
            rclpy.try_shutdown(context=self.context)

    def _advertise(self) -> set[str]:
        """Create publishers for the chosen topics and return their names."""
        topics = self._bag.topics
        asked = set(self._value("topics"))
        if missing := sorted(asked - topics.keys()):
            raise BagError(f"no topic {missing[0]} in the bag; its topics: {', '.join(topics)}")
        for name in sorted(asked or topics.keys()):
            message_type = _message_type(topics[name].type_name)
            if message_type is None:
                self.get_logger().warning(
                    f"{name} is not played: {topics[name].type_name} is not installed"
                )
                continue
            self._publishers_by_topic[name] = self.create_publisher(
                message_type, name, _playback_qos(topics[name])
            )
        if not any(topics[name].message_count for name in self._publishers_by_topic):
            raise BagError("the bag holds no message that can be played")
        return set(self._publishers_by_topic)

    def _wait_for_subscribers(self) -> None:
        end_s = time.monotonic() + self._value("wait_for_subscribers_s")
        while not self._closing.is_set() and time.monotonic() < end_s:
            counts = [p.get_subscription_count() for p in self._publishers_by_topic.values()]
            clocks = self._clock_publisher.get_subscription_count()
            if all(counts) and clocks >= self._value("clock_subscribers"):
                return
            self._closing.wait(0.05)

    def _play(self) -> None:
        delay_s = self._value("delay_s")
        while not self._closing.is_set():
            clock: PlaybackClock | None = None
            for message in self._bag.messages(self._topics):
                if clock is None:
                    self._stand_at(message.stamp_ns, delay_s)
                    delay_s = 0.0
                steady_s = time.monotonic()
                clock = clock or PlaybackClock(message.stamp_ns, self._value("rate"), steady_s)
                if not self._publish_in_time(message, clock):
                    return
            if clock is None:
                if not self._closing.is_set():
                    raise BagError("none of the bag's messages can be read")
                return
            self._warn()
            if not self._value("loop"):
                self._settle(clock)
                return
            self.get_logger().info("starting again")

    def _publish_in_time(self, message: BagMessage, clock: PlaybackClock) -> bool:
        """Publish a message at its time, and the clock until then.

        :returns: False when the node ends first.
        """
        while not self._closing.is_set():
            steady_s = time.monotonic()
            clock.set(self._value("rate"), self._value("paused"), steady_s)
            now_ns = clock.now_ns(steady_s)
            if now_ns >= message.stamp_ns and not self._value("paused"):
                self._publish_clock(message.stamp_ns)
                self._publishers_by_topic[message.topic].publish(self._present(message))
                return True
            self._publish_clock(min(now_ns, message.stamp_ns))
            left_s = (message.stamp_ns - now_ns) * 1e-9 / self._value("rate")
            self._closing.wait(min(max(left_s, 0.0005), _CLOCK_PERIOD_S))
        return False

    def _present(self, message: BagMessage) -> bytes:
        """Return a message's bytes in the installed definition of its type."""
        if message.topic not in self._earlier.topics:
            return message.data
        type_name = self._bag.topics[message.topic].type_name
        return self._earlier.convert(message.data, type_name)

    def _stand_at(self, stamp_ns: int, duration_s: float) -> None:
        end_s = time.monotonic() + duration_s
        while not self._closing.is_set() and time.monotonic() < end_s:
            self._publish_clock(stamp_ns)
            self._closing.wait(_CLOCK_PERIOD_S)

    def _settle(self, clock: PlaybackClock) -> None:
        """Keep publishing ``/clock`` while subscribers handle the last message."""
        end_s = time.monotonic() + self._value("settle_s")
        while not self._closing.is_set() and time.monotonic() < end_s:
            self._publish_clock(clock.now_ns(time.monotonic()))
            self._closing.wait(_CLOCK_PERIOD_S)

    def _publish_clock(self, now_ns: int) -> None:
        self._clock_publisher.publish(Clock(clock=Time(nanoseconds=now_ns).to_msg()))


def _playback_qos(topic: BagTopic) -> QoSProfile:
    """Return a profile that serves every subscriber, latched where one was offered."""
    latched = any(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in topic.qos)
    return QoSProfile(
        depth=10,
        durability=(
            DurabilityPolicy.TRANSIENT_LOCAL
            if latched or topic.name.endswith("tf_static")
            else DurabilityPolicy.VOLATILE
        ),
    )


def _message_type(type_name: str) -> type | None:
    """Return the class of ``package/msg/Name``; None where it is not installed."""
    package, kind, name = type_name.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.{kind}"), name)
    except (ImportError, AttributeError):
        return None


def main(args: list[str] | None = None) -> None:
    """Run the node until the end of the bag, SIGINT or SIGTERM."""
    run_and_exit(BagPlayerNode, "bag_player_node", args)


if __name__ == "__main__":
    main()
