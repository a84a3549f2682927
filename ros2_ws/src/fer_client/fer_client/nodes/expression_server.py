# SPDX-License-Identifier: Apache-2.0
"""Serve the action ``WaitForExpression`` beside the perception.

For behaviour trees and other callers of actions; a Python behaviour may use the
``ExpressionMonitor`` of this package directly.
"""

from __future__ import annotations

from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any, Final

from fer_msgs.action import WaitForExpression
from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from fer_common.nodes.parameters import config_from_parameters, declare_options
from fer_common.nodes.runner import run_node
from fer_common.options import option

from ..people import PeopleConfig
from ..waiting import Reason, Wait, WaitTimeout
from .expression_monitor import ExpressionMonitor
from .wait_action import MANY_GOALS

_CANCEL_PERIOD_S: Final = 0.1
_FEEDBACK_EVERY: Final = 5
_REASONS: Final = {
    Reason.NOT_SHOWN: WaitForExpression.Result.NOT_SHOWN,
    Reason.NOBODY: WaitForExpression.Result.NOBODY,
    Reason.NOTHING_RUNNING: WaitForExpression.Result.NOTHING_RUNNING,
}


@dataclass(frozen=True, slots=True)
class ExpressionServerSettings:
    """Parameters of the action server."""

    dwell_s: float = option(
        PeopleConfig.dwell_s,
        "A shorter lapse does not end an expression that is held [s].",
        minimum=0.0,
        maximum=60.0,
        read_only=True,
    )
    left_s: float = option(
        PeopleConfig.left_s,
        "A face that is not detected for this long has left [s].",
        minimum=0.0,
        maximum=60.0,
        read_only=True,
    )
    silent_after_s: float = option(
        PeopleConfig.silent_after_s,
        "Without a message for this long, nothing is running [s].",
        minimum=0.1,
        maximum=3600.0,
        read_only=True,
    )


class ExpressionServer(Node):
    """Subscribe to ``fer_perception/emotions``; serve ``~/wait_for_expression``.

    Goals do not disturb each other: each has its own wait.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("expression_server", **kwargs)
        declare_options(self, ExpressionServerSettings)
        settings = config_from_parameters(self, ExpressionServerSettings)
        self._monitor = ExpressionMonitor(
            self,
            config=PeopleConfig(settings.dwell_s, settings.left_s, settings.silent_after_s),
        )
        self._waits: dict[bytes, tuple[ServerGoalHandle, Wait]] = {}
        self._server = ActionServer(
            self,
            WaitForExpression,
            "~/wait_for_expression",
            self._execute,
            cancel_callback=lambda goal: CancelResponse.ACCEPT,
            goal_service_qos_profile=MANY_GOALS,
            result_service_qos_profile=MANY_GOALS,
            feedback_pub_qos_profile=MANY_GOALS,
        )
        self._ticks = 0
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_CANCEL_PERIOD_S, self._attend, clock=steady)

    def close(self) -> None:
        """Stop serving."""
        self._waits.clear()
        self._monitor.close()
        self._server.destroy()

    async def _execute(self, goal: ServerGoalHandle) -> WaitForExpression.Result:
        """Wait; other goals and messages are served meanwhile."""
        request = goal.request
        try:
            wait = self._monitor.expect(
                *request.expressions,
                held_s=request.held_s,
                min_confidence=request.min_confidence,
                timeout_s=request.timeout_s,
            )
        except ValueError as error:
            self.get_logger().warning(f"a goal is refused: {error}")
            goal.abort()
            return WaitForExpression.Result(
                reason=WaitForExpression.Result.INVALID_GOAL, message=str(error)
            )
        key = bytes(goal.goal_id.uuid)
        self._waits[key] = goal, wait
        try:
            face = await wait
        except WaitTimeout as error:
            goal.abort()
            return WaitForExpression.Result(reason=_REASONS[error.reason], message=str(error))
        except CancelledError:
            goal.canceled()
            return WaitForExpression.Result(
                reason=WaitForExpression.Result.CANCELED,
                message=f"canceled: {wait.summary(self._monitor.is_running)}",
            )
        finally:
            self._waits.pop(key, None)
        goal.succeed()
        return WaitForExpression.Result(
            reason=WaitForExpression.Result.SHOWN,
            message=f"{face.face_id} shows {face.emotion}",
            face=face.message,
            held_s=wait.held_s,
        )

    def _attend(self) -> None:
        """End cancelled goals; publish feedback for the others at intervals."""
        self._ticks += 1
        for goal, wait in list(self._waits.values()):
            if goal.is_cancel_requested:
                wait.cancel()
            elif not wait.done() and self._ticks % _FEEDBACK_EVERY == 0:
                goal.publish_feedback(self._feedback(wait))

    def _feedback(self, wait: Wait) -> WaitForExpression.Feedback:
        faces = self._monitor.faces
        return WaitForExpression.Feedback(
            is_running=self._monitor.is_running,
            faces=[face.message for face in faces],
            held_s=[wait.holds.seconds(face.face_id) or 0.0 for face in faces],
        )


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    run_node(ExpressionServer, args)


if __name__ == "__main__":
    main()
