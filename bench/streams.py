# SPDX-License-Identifier: Apache-2.0
"""Measure the bytes per second of each topic of a running graph.

``python3 -m bench.streams --namespace robot1`` subscribes to all topics of the namespace for ten
seconds, also to ``annotated``, which is drawn only with subscribers.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

_DISCOVERY_S = 2.0
_OWN_TOPICS = ("/parameter_events", "/rosout")


@dataclass
class Stream:
    """The messages of a topic.

    :ivar size: bytes of all messages, serialised, without the transport's headers.
    """

    type_name: str
    messages: int = 0
    size: int = 0

    def add(self, data: bytes) -> None:
        """Count a serialised message."""
        self.messages += 1
        self.size += len(data)


class StreamMeter:
    """Subscribe to all topics below a namespace and count their bytes.

    :param node: for the subscriptions; the caller spins it.
    :ivar unknown: types that are not installed.
    """

    def __init__(self, node: Node, namespace: str) -> None:
        self._node = node
        self.unknown: set[str] = set()
        self.streams: dict[str, Stream] = {}
        self._prefix = f"/{namespace.strip('/')}".rstrip("/") + "/"

    def look(self) -> None:
        """Subscribe to the topics that are new."""
        for topic, [type_name, *_] in self._node.get_topic_names_and_types():
            if (
                topic in self.streams
                or topic in _OWN_TOPICS
                or not topic.startswith(self._prefix)
                or not self._node.count_publishers(topic)
            ):
                continue
            package, kind, name = type_name.split("/")
            try:
                message = getattr(import_module(f"{package}.{kind}"), name)
            except ImportError:
                self.unknown.add(type_name)
                continue
            self.streams[topic] = Stream(type_name)
            # Best effort matches every publisher.
            qos = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
            add = self.streams[topic].add
            self._node.create_subscription(message, topic, add, qos, raw=True)


def measure(namespace: str, seconds: float) -> Mapping[str, Stream]:
    """Return the streams of a running graph, counted for a time."""
    node = Node("stream_meter")
    meter = StreamMeter(node, namespace)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        _spin(executor, meter, _DISCOVERY_S)
        for stream in meter.streams.values():
            stream.messages = stream.size = 0
        _spin(executor, meter, seconds)
        for type_name in sorted(meter.unknown):
            print(f"streams: {type_name} is not installed: not measured", file=sys.stderr)
        return dict(sorted(meter.streams.items()))
    finally:
        executor.shutdown()
        node.destroy_node()


def _spin(executor: SingleThreadedExecutor, meter: StreamMeter, seconds: float) -> None:
    end_s = time.monotonic() + seconds
    while (left_s := end_s - time.monotonic()) > 0.0:
        meter.look()
        executor.spin_once(timeout_sec=min(left_s, 0.2))


def table(streams: Mapping[str, Stream], seconds: float) -> str:
    """Return the streams as a table in Markdown."""
    lines = ["| Topic | Type | messages/s | bytes/message | bytes/s |", "|---|---|---|---|---|"]
    for topic, stream in streams.items():
        if stream.messages:
            each = stream.size / stream.messages
            lines.append(
                f"| `{topic}` | `{stream.type_name}` | {stream.messages / seconds:.1f} | "
                f"{each:,.0f} | {stream.size / seconds:,.0f} |"
            )
    return "\n".join(lines)


def main(args: list[str] | None = None) -> int:
    """Run the command line.

    :returns: 0 with a table, 1 where no message arrived.
    """
    parser = argparse.ArgumentParser(prog="streams", description=__doc__)
    parser.add_argument("--namespace", default="", help="of the robot (default: all)")
    parser.add_argument("--seconds", type=float, default=10.0, help="(default: %(default)s)")
    options = parser.parse_args(args)
    rclpy.init()
    try:
        streams = measure(options.namespace, options.seconds)
    finally:
        rclpy.shutdown()
    if not any(stream.messages for stream in streams.values()):
        print(f"streams: no message below /{options.namespace.strip('/')}", file=sys.stderr)
        return 1
    print(table(streams, options.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
