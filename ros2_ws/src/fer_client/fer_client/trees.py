# SPDX-License-Identifier: Apache-2.0
"""Behaviours for py_trees: conditions on faces, and the action.

>>> from fer_client.trees import ExpressionHeld, FacePresent, WaitForExpression
>>> root = py_trees.composites.Sequence("greet", memory=True)
>>> root.add_children([WaitForExpression("smile", "happiness", held_s=1.0), say_hello])
>>> tree.setup(node=node)

Needs py_trees: ``sudo apt install ros-$ROS_DISTRO-py-trees``, or ``pip install py_trees``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

try:
    from py_trees.behaviour import Behaviour
    from py_trees.common import Status
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "fer_client.trees needs py_trees: sudo apt install ros-$ROS_DISTRO-py-trees, or "
        "pip install py_trees",
        name=error.name,
    ) from error

if TYPE_CHECKING:
    from .nodes.expression_monitor import ExpressionMonitor
    from .people import Watch

ACTION: Final = "expression_server/wait_for_expression"
"""Relative to the node's namespace."""

# Beyond the goal's own time: for the server to be found, and to answer.
_GRACE_S: Final = 5.0


class FacePresent(Behaviour):
    """Succeed while a face is there.

    :param monitor: of the behaviour's node.
    """

    def __init__(self, name: str, monitor: ExpressionMonitor) -> None:
        super().__init__(name)
        self._monitor = monitor

    def update(self) -> Status:
        """Return SUCCESS with a face, else FAILURE with the reason."""
        nearest = self._monitor.nearest
        if nearest is not None:
            self.feedback_message = f"{nearest.face_id} is there"
            return Status.SUCCESS
        self.feedback_message = _nobody(self._monitor)
        return Status.FAILURE


class ExpressionHeld(Behaviour):
    """Succeed while a face holds one of some expressions.

    :param monitor: of the behaviour's node.
    :param expressions: labels, any of which will do; none for any face.
    :param held_s: how long it has to last, in the time of the images.
    :param min_confidence: a lower one does not count, in [0, 1].
    :raises ValueError: when a value is invalid.
    """

    def __init__(
        self,
        name: str,
        monitor: ExpressionMonitor,
        *expressions: str,
        held_s: float = 1.0,
        min_confidence: float = 0.0,
    ) -> None:
        super().__init__(name)
        self._monitor = monitor
        self._watch: Watch | None = monitor.watch(
            *expressions, held_s=held_s, min_confidence=min_confidence
        )

    def update(self) -> Status:
        """Return SUCCESS while a face holds it, else FAILURE with the reason."""
        face = self._watch.face if self._watch is not None else None
        if face is not None:
            self.feedback_message = f"{face.face_id} holds {face.emotion}"
            return Status.SUCCESS
        faces = self._monitor.faces
        shown = ", ".join(f"{face.face_id} {face.emotion}" for face in faces)
        self.feedback_message = shown or _nobody(self._monitor)
        return Status.FAILURE

    def shutdown(self) -> None:
        """Stop measuring the expression."""
        if self._watch is not None:
            self._monitor.forget(self._watch)
            self._watch = None


class WaitForExpression(Behaviour):
    """Call the action ``WaitForExpression``; running until it has its result.

    The server's node measures, so that this behaviour costs its own node nothing per image. It
    needs ``tree.setup(node=node)``, and the node has to be spun.

    :param expressions: labels, any of which will do; none for any face.
    :param held_s: how long it has to last, in the time of the images.
    :param min_confidence: a lower one does not count, in [0, 1].
    :param timeout_s: real time to wait at most.
    :param action: name of the action, relative to the node's namespace.
    :ivar result: the last result of the action; None before the first.
    """

    def __init__(
        self,
        name: str,
        *expressions: str,
        held_s: float = 0.0,
        min_confidence: float = 0.0,
        timeout_s: float = 10.0,
        action: str = ACTION,
    ) -> None:
        super().__init__(name)
        self.result: Any = None
        self._goal_fields = {
            "expressions": list(expressions),
            "held_s": float(held_s),
            "min_confidence": float(min_confidence),
            "timeout_s": float(timeout_s),
        }
        self._timeout_s = timeout_s
        self._action = action
        self._client: Any = None
        self._goal_type: Any = None
        self._call: _Call | None = None

    def setup(self, **kwargs: Any) -> None:
        """Create the action's client.

        :param kwargs: 'node', the node of the tree.
        :raises KeyError: when there is no node.
        """
        # Here, so that the conditions do not need the action.
        from fer_msgs.action import WaitForExpression as Action

        from .nodes.wait_action import create_wait_client

        if "node" not in kwargs:
            raise KeyError(f"{self.name}: expected tree.setup(node=...), the node of the tree")
        self._goal_type = Action.Goal
        self._client = create_wait_client(kwargs["node"], self._action)

    def initialise(self) -> None:
        """Begin a new call."""
        self.result = None
        self.feedback_message = ""
        goal = self._goal_type(**self._goal_fields)
        self._call = _Call(self._client, goal, self._action, self._timeout_s + _GRACE_S)

    def update(self) -> Status:
        """Return RUNNING until the action has ended, then whether it was shown."""
        call = self._call
        if call is None:
            return Status.INVALID
        call.advance()
        if call.result is not None:
            self.result = call.result
            self.feedback_message = call.result.message
            is_shown = call.result.reason == call.result.SHOWN
            return Status.SUCCESS if is_shown else Status.FAILURE
        if call.is_late:
            call.cancel()
            self.feedback_message = call.state
            return Status.FAILURE
        self.feedback_message = call.state
        return Status.RUNNING

    def terminate(self, new_status: Status) -> None:
        """Cancel the goal of a call that was interrupted."""
        if new_status == Status.INVALID and self._call is not None:
            self._call.cancel()
            self._call = None

    def shutdown(self) -> None:
        """Destroy the action's client."""
        if self._client is not None:
            self._client.destroy()
            self._client = None


class _Call:
    """One goal; one cancelled early is cancelled once it is accepted."""

    def __init__(self, client: Any, goal: Any, action: str, timeout_s: float) -> None:
        self._client = client
        self._goal = goal
        self._action = action
        self._deadline_s = time.monotonic() + timeout_s
        self._is_sent = False
        self._is_cancelled = False
        self._handle: Any = None
        self.result: Any = None
        self.state = ""

    @property
    def is_late(self) -> bool:
        return time.monotonic() > self._deadline_s

    def advance(self) -> None:
        """Send the goal once the server is there."""
        if self._is_sent:
            return
        if not self._client.server_is_ready():
            self.state = f"nothing serves {self._action}"
            return
        self._is_sent = True
        self.state = "the goal is sent"
        future = self._client.send_goal_async(self._goal, feedback_callback=self._on_feedback)
        future.add_done_callback(self._on_accepted)

    def cancel(self) -> None:
        self._is_cancelled = True
        if self._handle is not None and self.result is None:
            self._handle.cancel_goal_async()

    def _on_accepted(self, future: Any) -> None:
        self._handle = future.result()
        if not self._handle.accepted:
            self.state, self._deadline_s = "the server refused the goal", 0.0
        elif self._is_cancelled:
            self._handle.cancel_goal_async()
        else:
            self._handle.get_result_async().add_done_callback(self._on_result)

    def _on_feedback(self, message: Any) -> None:
        shown = [f"{face.face_id} {face.emotion}" for face in message.feedback.faces]
        if message.feedback.is_running:
            self.state = ", ".join(shown) or "nobody is there"
        else:
            self.state = "nothing is running"

    def _on_result(self, future: Any) -> None:
        self.result = future.result().result


def _nobody(monitor: ExpressionMonitor) -> str:
    return "nobody is there" if monitor.is_running else "nothing is running"
