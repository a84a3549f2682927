# SPDX-License-Identifier: Apache-2.0
"""Node of the dashboard: find robots and receive their messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from fer_bringup.dashboard.controls import LIGHT, PERCEPTION
from fer_bringup.dashboard.robot import Robot

_POLL_S = 0.5
_MAX_ROBOTS = 16


class DashboardNode(Node):
    """Receive from the robot in this node's namespace and from those shown."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("dashboard", **kwargs)
        self._lock = threading.Lock()
        self._found: frozenset[str] = frozenset()
        self._wanted: dict[str, threading.Event] = {}
        self.home = self.get_namespace()
        """Namespace of the robot that a page shows at first."""
        self._robots = {self.home: Robot(self, self.home)}
        self.on_close: Callable[[], None] = lambda: None
        """Called before the node leaves the graph."""
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        # Steady clock: works also while the simulation is paused.
        self.create_timer(_POLL_S, self._poll, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Stop the server."""
        self.on_close()

    def namespaces(self) -> list[str]:
        """Return the namespaces of all robots that run or are shown, sorted."""
        with self._lock:
            return sorted(self._found | set(self._robots))

    def robot(self, namespace: str) -> Robot | None:
        """Return the robot in ``namespace``; None before it is found.

        The subscriptions are made in the node's own thread, a moment after the first call.
        """
        with self._lock:
            if namespace in self._robots:
                return self._robots[namespace]
            if namespace not in self._found or len(self._robots) >= _MAX_ROBOTS:
                return None
            made = self._wanted.setdefault(namespace, threading.Event())
        made.wait(4.0 * _POLL_S)
        with self._lock:
            return self._robots.get(namespace)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for robot in self._robots.values():
            robot.on_diagnostics(message)

    def _poll(self) -> None:
        found = {
            namespace
            for name, namespace in self.get_node_names_and_namespaces()
            if name in (PERCEPTION, LIGHT)
        }
        with self._lock:
            self._found = frozenset(found)
            wanted, self._wanted = self._wanted, {}
        for namespace, made in wanted.items():
            robot = Robot(self, namespace)
            with self._lock:
                self._robots = self._robots | {namespace: robot}
            made.set()
        for robot in self._robots.values():
            robot.poll()
