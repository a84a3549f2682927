# SPDX-License-Identifier: Apache-2.0
"""Detect blocking calls that would stop the executor that ends them."""

from __future__ import annotations

import sys
from types import FrameType

from rclpy.executors import Executor
from rclpy.node import Node


def executor_of(node: Node) -> Executor | None:
    """Return the executor that holds a node, or None.

    A node keeps the last one that spun it, as ``rclpy.spin_once`` does.
    """
    executor = node.executor
    return executor if executor is not None and node in executor.get_nodes() else None


def is_inside(executor: Executor | None) -> bool:
    """Return whether a callback of a single-threaded executor is the caller.

    The executor is then in a frame below the caller's, and handles nothing until it returns. One
    with several threads runs callbacks in threads of a pool.
    """
    frame: FrameType | None = sys._getframe() if executor is not None else None
    while frame is not None:
        if frame.f_code.co_name.startswith("spin") and frame.f_locals.get("self") is executor:
            return True
        frame = frame.f_back
    return False
