# SPDX-License-Identifier: Apache-2.0
"""Record topics to a bag where ``ros2 bag`` is not installed.

Images are recorded only on demand.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from fer_common.nodes.parameters import config_from_parameters, declare_options
from fer_common.options import option

from ..bags.bag_error import BagError
from ..bags.bag_images import COMPRESSED_TYPE, IMAGE_TYPE
from ..bags.bag_writer import STORAGES, BagWriter
from ..bags.message_types import MessageTypes
from .exit_with_failure import run_and_exit
from .offered_qos import to_bag_qos

_LOOK_PERIOD_S: Final = 0.2
_IMAGE_TYPES: Final = {IMAGE_TYPE, COMPRESSED_TYPE}


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """Parameters of the recorder."""

    out: str = option(
        "", "The new bag's folder; empty for recording_ and the date.", read_only=True
    )
    images: bool = option(
        False, "Record images as well: the bag then identifies people.", read_only=True
    )
    storage: str = option("mcap", "Storage of the bag.", choices=tuple(STORAGES), read_only=True)
    topics: tuple[str, ...] = option((), "Topics to record.", read_only=True)


class BagRecorderNode(Node):
    """Record the topics of the parameter ``topics`` from their first publisher on.

    :ivar failure: why nothing was recorded; else empty.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("recorder", **kwargs)
        declare_options(self, RecorderSettings)
        self._settings = config_from_parameters(self, RecorderSettings)
        self._waiting = {self.resolve_topic_name(name) for name in self._settings.topics}
        types = MessageTypes()
        types.learn_fer_msgs()
        default = f"recording_{datetime.now():%Y-%m-%d_%H-%M-%S}"
        self._path = Path(self._settings.out or default).expanduser()
        self._bag: BagWriter | None = BagWriter(
            self._path, types, self._settings.storage, keep_incomplete=True
        )
        self._bag.__enter__()
        self._count = 0
        self.failure = ""
        # Steady clock: topics also appear while a simulation is paused.
        self.create_timer(
            _LOOK_PERIOD_S, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self._look()

    def _look(self) -> None:
        """Subscribe to the topics with a publisher."""
        for name, types in self.get_topic_names_and_types():
            if name in self._waiting and self.count_publishers(name):
                self._waiting.discard(name)
                self._record(name, types[0])

    def _record(self, name: str, type_name: str) -> None:
        if type_name in _IMAGE_TYPES and not self._settings.images:
            self.get_logger().warning(f"{name} is not recorded: it holds images, see 'images'")
            return
        package, kind, message = type_name.split("/")
        message_type = getattr(importlib.import_module(f"{package}.{kind}"), message)
        offered = [info.qos_profile for info in self.get_publishers_info_by_topic(name)]
        try:
            if self._bag is not None:
                self._bag.add_topic(name, type_name, [to_bag_qos(qos) for qos in offered])
        except BagError as error:
            self.get_logger().error(str(error))
            return
        self.create_subscription(
            message_type, name, partial(self._on_message, name), _requested_qos(offered), raw=True
        )
        self.get_logger().info(f"recording {name}")

    def _on_message(self, name: str, data: bytes) -> None:
        if self._bag is not None:
            try:
                self._bag.write(name, self.get_clock().now().nanoseconds, bytes(data))
            except BagError as error:
                bag, self._bag = self._bag, None
                bag.__exit__(BagError, error, None)
                raise
            self._count += 1

    def close(self) -> None:
        """Finish the bag."""
        bag, self._bag = self._bag, None
        if bag is None:
            return
        if self._count:
            bag.__exit__(None, None, None)
            self.get_logger().info(f"{self._count} messages in {self._path}")
        else:
            bag.discard()
        if self._waiting:
            self.get_logger().warning(f"never published: {', '.join(sorted(self._waiting))}")
        if not self._count:
            self.failure = f"no message was recorded: {self._path} is not written"


def _requested_qos(offered: Sequence[QoSProfile]) -> QoSProfile:
    """Return a profile that matches all publishers."""
    reliable = all(qos.reliability == ReliabilityPolicy.RELIABLE for qos in offered)
    latched = all(qos.durability == DurabilityPolicy.TRANSIENT_LOCAL for qos in offered)
    return QoSProfile(
        depth=100,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    run_and_exit(BagRecorderNode, "bag_recorder_node", args)


if __name__ == "__main__":
    main()
