# SPDX-License-Identifier: Apache-2.0
"""Configures and activates lifecycle nodes, one after the other.

Started by the launch argument ``autostart:=managed`` with the names of the nodes, which are
relative to its own namespace. It ends when all are active, or as many as can be.
"""

import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import rclpy
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

# An answer may be lost while the nodes find each other; the state tells what came of a question.
ANSWER_S = 10.0
POLL_S = 0.2

NEXT_STEP = {
    State.PRIMARY_STATE_UNCONFIGURED: (Transition.TRANSITION_CONFIGURE, "configure"),
    State.PRIMARY_STATE_INACTIVE: (Transition.TRANSITION_ACTIVATE, "activate"),
}


class BringUp(Node):
    """Asks nodes for their states, and to change them."""

    def __init__(self) -> None:
        super().__init__("bring_up")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)

    def bring_up(self, name: str) -> bool:
        """Take one node to its active state and return whether it got there.

        It is waited for until it is there.
        """
        states = self.create_client(GetState, f"{name}/get_state")
        changes = self.create_client(ChangeState, f"{name}/change_state")
        self._wait(states.service_is_ready)
        self._wait(changes.service_is_ready)
        while True:
            answer = self._ask(states, GetState.Request())
            if answer is None:
                continue
            state = answer.current_state
            if state.id == State.PRIMARY_STATE_ACTIVE:
                self.get_logger().info(f"{name} is active")
                return True
            if state.id == State.PRIMARY_STATE_FINALIZED:
                self.get_logger().error(f"{name} is finalized: start it anew")
                return False
            if state.id not in NEXT_STEP:  # on its way from one state to another
                self._wait(lambda: False, POLL_S)
                continue
            transition, verb = NEXT_STEP[state.id]
            request = ChangeState.Request(transition=Transition(id=transition))
            change = self._ask(changes, request)
            if change is not None and not change.success:
                self.get_logger().error(f"{name} did not {verb}: its own log says why")
                return False

    def _ask(self, client: Any, request: Any) -> Any:
        """Call a service and return its answer, or None if there is none for a while."""
        future = client.call_async(request)
        self._wait(future.done, ANSWER_S)
        return future.result() if future.done() else None

    def _wait(self, condition: Callable[[], bool], timeout_s: float = float("inf")) -> None:
        """Handle messages until the condition holds or the time is over."""
        end_s = time.monotonic() + timeout_s
        while not condition() and time.monotonic() < end_s:
            self._executor.spin_once(timeout_sec=POLL_S)


def main(args: list[str] | None = None) -> int:
    """Bring the nodes up that the command line names.

    :return: 0 when all are active or a signal came before, 1 when one refused.
    """
    # rclpy's own handlers end the context at any moment, also in the middle of a spin.
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        node = BringUp()
        # All are tried, also after one has refused.
        active = [node.bring_up(name) for name in remove_ros_args(args)[1:]]
        return 0 if all(active) else 1
    except KeyboardInterrupt:
        return 0
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    sys.exit(main())
