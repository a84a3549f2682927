# SPDX-License-Identifier: Apache-2.0
"""The time in which a node's world goes on."""

from __future__ import annotations

import time

from rclpy.node import Node


def world_time_s(node: Node) -> float:
    """Return the simulation's time, or the monotonic time without a simulation.

    While nothing publishes ``/clock``, the time of a node with ``use_sim_time`` stands at 0; what
    waits for time to pass must not wait for ever.

    :returns: seconds of an arbitrary origin.
    """
    if node.get_parameter("use_sim_time").value:
        nanoseconds: int = node.get_clock().now().nanoseconds
        if nanoseconds > 0:
            return nanoseconds * 1e-9
    return time.monotonic()
