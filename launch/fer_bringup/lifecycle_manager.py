# SPDX-License-Identifier: Apache-2.0
"""Configure, activate and monitor lifecycle nodes, also after restarts.

Started by the launch argument ``autostart:=managed`` with the names of the nodes, which are
relative to its own namespace.
"""

from __future__ import annotations

import argparse
import math
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import rclpy
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import IntegerRange, ParameterDescriptor
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from fer_common.backoff import Backoff
from fer_common.nodes.command_line import own_words, refusing

# A response may be lost during discovery; the state shows the result.
RESPONSE_S = 10.0
POLL_S = 0.2
HEARTBEAT_S = 1.0
SETTLED_S = 60.0
"""Active time after which a node's attempts are reset [s]."""

NEXT_STEP = {
    State.PRIMARY_STATE_UNCONFIGURED: (Transition.TRANSITION_CONFIGURE, "configure"),
    State.PRIMARY_STATE_INACTIVE: (Transition.TRANSITION_ACTIVATE, "activate"),
}


class LifecycleManager(Node):
    """Call the lifecycle services of other nodes."""

    def __init__(self) -> None:
        super().__init__("lifecycle_manager")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        self.attempts = self.declare_parameter(
            "attempts",
            5,
            ParameterDescriptor(
                description="Attempts to bring a node to its active state before giving up; a "
                f"node that was active for {SETTLED_S:.0f} s has them all back.",
                integer_range=[IntegerRange(from_value=1, to_value=1000)],
                read_only=True,
            ),
        ).value

    def call(self, client: Any, request: Any, is_futile: Callable[[], bool]) -> Any:
        """Call a service and return its response, or None after a timeout.

        :param is_futile: returns whether to stop waiting.
        """
        future = client.call_async(request)
        self.wait(lambda: future.done() or is_futile(), RESPONSE_S)
        if future.done():
            return future.result()
        client.remove_pending_request(future)
        return None

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Handle messages until the condition holds or a timeout."""
        end_s = time.monotonic() + timeout_s
        while not condition() and time.monotonic() < end_s:
            self._executor.spin_once(timeout_sec=POLL_S)


class ManagedNode:
    """State and heartbeat of one managed node.

    A new process of the node, which is a new publisher of its ``transition_event``, is brought to
    the active state once: the manager does not undo a later deactivation by a user.

    :param name: name of the node, relative to the manager's namespace.
    """

    def __init__(self, manager: LifecycleManager, name: str) -> None:
        self._manager, self._name = manager, name
        self._log = manager.get_logger()
        self._states = manager.create_client(GetState, f"{name}/get_state")
        self._changes = manager.create_client(ChangeState, f"{name}/change_state")
        self._events = manager.resolve_topic_name(f"{name}/transition_event")
        self._processes: set[bytes] = set()
        self._is_pending = True
        self._active_since_s = math.inf
        self._attempts = 0
        self._has_given_up = False
        self._is_silent = False
        self._backoff = Backoff(first_s=2.0, longest_s=16.0)
        self._next_s = 0.0

    def look_after(self) -> None:
        """Detect a new process, advance its state, and check its heartbeat."""
        self._notice_new_process()
        if self._has_given_up or time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + HEARTBEAT_S
        if not self._states.service_is_ready():
            if self._active_since_s < math.inf:
                self._note_heartbeat(False)
            return
        response = self._call(self._states, GetState.Request())
        if self._new_processes():
            return
        self._note_heartbeat(response is not None)
        if response is None or not self._is_pending:
            return
        state = response.current_state.id
        if state == State.PRIMARY_STATE_ACTIVE:
            self._log.info(f"{self._name} is active")
            self._is_pending, self._active_since_s = False, time.monotonic()
        elif state == State.PRIMARY_STATE_FINALIZED:
            self._log.error(f"{self._name} is finalized: restart it")
            self._is_pending = False
        elif state in NEXT_STEP:
            self._change(*NEXT_STEP[state])

    def _call(self, client: Any, request: Any) -> Any:
        return self._manager.call(client, request, lambda: bool(self._new_processes()))

    def _new_processes(self) -> set[bytes]:
        endpoints = self._manager.get_publishers_info_by_topic(self._events)
        return {bytes(endpoint.endpoint_gid) for endpoint in endpoints} - self._processes

    def _notice_new_process(self) -> None:
        new = self._new_processes()
        if not new:
            return
        if self._processes and not self._has_given_up:
            self._log.warning(f"{self._name} was restarted: bringing it up again")
            if time.monotonic() - self._active_since_s >= SETTLED_S:
                self._attempts = 0
                self._backoff.reset()
            else:
                self._count_attempt()
        self._processes |= new
        self._is_pending, self._active_since_s, self._next_s = True, math.inf, 0.0

    def _change(self, transition: int, verb: str) -> None:
        request = ChangeState.Request(transition=Transition(id=transition))
        response = self._call(self._changes, request)
        if response is None or response.success:
            self._next_s = 0.0
            return
        self._log.warning(f"{self._name} did not {verb}: see its log")
        self._next_s = time.monotonic() + self._backoff.next_s()
        self._count_attempt()

    def _count_attempt(self) -> None:
        """Count a failed attempt and give up after too many."""
        self._attempts += 1
        if self._attempts >= self._manager.attempts:
            self._has_given_up = True
            self._log.error(
                f"gave up on {self._name}: {self._attempts} of {self._attempts} attempts failed; "
                "correct what its own log names, then restart it and this node"
            )

    def _note_heartbeat(self, is_there: bool) -> None:
        if is_there and self._is_silent:
            self._log.info(f"{self._name} responds again")
        elif not is_there and not self._is_silent:
            self._log.error(f"{self._name} does not respond: waiting for its restart")
        self._is_silent = not is_there


def main(args: list[str] | None = None) -> int:
    """Manage the nodes of the command line until a signal.

    :returns: 0.
    :raises SystemExit: with code 0 after ``--help``, with code 2 for a wrong command line.
    """
    # Launch files pass an empty word for a node that they do not start.
    names = filter(None, _parser().parse_args(own_words(args)).names)
    # rclpy's own handlers end the context at any moment, also in the middle of a spin.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with refusing():
            rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
            manager = LifecycleManager()
        nodes = [ManagedNode(manager, name) for name in names]
        while True:
            for node in nodes:
                node.look_after()
            manager.wait(lambda: False, POLL_S)
    except KeyboardInterrupt:
        return 0
    finally:
        rclpy.try_shutdown()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lifecycle_manager", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NODE", help="name of a node to bring up")
    return parser


if __name__ == "__main__":
    sys.exit(main())
