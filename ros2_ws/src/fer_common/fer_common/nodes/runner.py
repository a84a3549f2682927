# SPDX-License-Identifier: Apache-2.0
"""Run nodes until SIGINT or SIGTERM, then shut down cleanly."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Protocol

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from .command_line import ignored_parameters, refuse_words, refusing
from .shared_memory_watchdog import SharedMemoryWatchdog

_SIGNAL_POLL_S = 0.1


class ClosableNode(Protocol):
    """A node that releases its resources before it is destroyed."""

    def close(self) -> None:
        """Stop threads and release devices, in any state."""
        ...

    def destroy_node(self) -> None:
        """Leave the graph."""
        ...

    def get_logger(self) -> Any:
        """Return the node's logger."""
        ...

    def get_parameters_by_prefix(self, prefix: str) -> dict[str, Any]:
        """Return the declared parameters below ``prefix`` by their names."""
        ...


def run_node(create: Callable[[], ClosableNode], args: list[str] | None) -> None:
    """Spin a node until SIGINT or SIGTERM; exit without a traceback.

    :param create: makes the node, once rclpy is ready.
    :param args: the command line without the program's name; None for this process's.
    :raises SystemExit: as :func:`run_nodes` does; with code 0 after ``--help``, and with code 2
        for a word that is neither that nor for ROS.
    """
    refuse_words(create, args)
    run_nodes(lambda: [create()], args)


def run_nodes(create: Callable[[], Sequence[ClosableNode]], args: list[str] | None) -> None:
    """Spin several nodes in one thread until SIGINT or SIGTERM.

    :param create: creates the nodes, once rclpy is initialised.
    :raises SystemExit: with code 2 when a name or parameter of a node is invalid; the reason is
        printed. With code 1 and the reason when this process is unreachable.
    """
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    # Not rclpy's own handlers: they shut the context down while threads still publish.
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    with refusing():
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        nodes = create()
    for unknown in ignored_parameters(nodes, sys.argv[1:] if args is None else args):
        nodes[0].get_logger().warning(f"ignored the unknown parameter {unknown}")
    executor = SingleThreadedExecutor()
    for node in nodes:
        executor.add_node(node)
    watchdog = SharedMemoryWatchdog()
    try:
        while rclpy.ok() and not stopping and not watchdog.is_cut_off():
            executor.spin_once(timeout_sec=_SIGNAL_POLL_S)
    except ExternalShutdownException:
        pass
    finally:
        for node in nodes:
            node.close()
        executor.shutdown()
        for node in nodes:
            node.destroy_node()
        rclpy.try_shutdown()
    if watchdog.reason:
        raise SystemExit(watchdog.reason)
