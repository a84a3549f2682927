# SPDX-License-Identifier: Apache-2.0
"""Follow the expressions of people in a behaviour's node, or without one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

import rclpy
from fer_msgs.msg import EmotionArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.time import Time

from fer_common.nodes.world_time import world_time_s
from fer_perception.tracking.face_events import EventKind

from ..face import Condition, Face
from ..people import People, PeopleConfig, Watch
from ..waiting import Wait
from .blocking import executor_of, is_inside
from .face_messages import to_faces

TOPIC: Final = "fer_perception/emotions"
"""Relative to the node's namespace."""

_LOOK_PERIOD_S: Final = 0.1
# A wait ends by the monitor's timer; this is for one whose timer does not run.
_GRACE_S: Final = 0.5


class ExpressionMonitor:
    """Observe who is there and how they look; wait for expressions.

    ``ExpressionMonitor(node)`` subscribes in a behaviour's own node, whose executor runs the
    callbacks. :meth:`standalone` has a node and a thread of its own, for scripts and notebooks.
    ``with`` closes either.

    :param node: the behaviour's node.
    :param topic: of ``fer_msgs/EmotionArray``, relative to the node's namespace.
    :param config: durations that decide who is there.
    """

    def __init__(self, node: Node, topic: str = TOPIC, config: PeopleConfig | None = None) -> None:
        self.node = node
        self._sequence = 0
        # A group of its own: with a multi-threaded executor a callback that blocks in wait_for
        # does not keep messages from coming in.
        group = MutuallyExclusiveCallbackGroup()
        self._people = People(
            node.resolve_topic_name(topic),
            config or PeopleConfig(),
            world_s=lambda: world_time_s(node),
            report=node.get_logger().error,
        )
        self._subscription = node.create_subscription(
            EmotionArray, topic, self._on_emotions, 10, callback_group=group
        )
        # A steady clock: waits end while a simulation is paused.
        self._timer = node.create_timer(
            _LOOK_PERIOD_S,
            self._look,
            callback_group=group,
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )
        self._looks = 0
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    @classmethod
    def standalone(
        cls,
        topic: str = TOPIC,
        config: PeopleConfig | None = None,
        *,
        node_name: str = "expression_monitor",
        args: list[str] | None = None,
    ) -> Self:
        """Return a monitor with its own context, node and thread.

        Callbacks run in that thread.

        :param args: the command line, whose ROS arguments count; None for this process's.
        """
        context = rclpy.Context()
        rclpy.init(args=args, context=context)
        monitor = cls(rclpy.create_node(node_name, context=context), topic, config)
        monitor._thread = threading.Thread(target=monitor._spin, name=node_name, daemon=True)
        monitor._thread.start()
        return monitor

    def close(self) -> None:
        """Cancel all waits and stop listening; a second call does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._people.close()
        if self._thread is None:
            self.node.destroy_timer(self._timer)
            self.node.destroy_subscription(self._subscription)
        elif self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Who is there

    @property
    def is_running(self) -> bool:
        """Whether the perception publishes: then no face means that nobody is there."""
        return self._people.is_running

    @property
    def faces(self) -> tuple[Face, ...]:
        """The faces that are there now, largest first."""
        return self._people.faces

    @property
    def nearest(self) -> Face | None:
        """The largest face, or None."""
        return next(iter(self._people.faces), None)

    # Waiting

    def wait_for(
        self,
        *expressions: str,
        held_s: float = 0.0,
        min_confidence: float = 0.0,
        timeout_s: float = 10.0,
    ) -> Face:
        """Block until a face shows one of the expressions; return it.

        Where nobody spins the node, this call does. In a callback of a single-threaded executor
        it is refused: await :meth:`expect` there.

        :param expressions: labels, any of which will do; none for any face.
        :param held_s: how long it has to last, in the time of the images. What was shown before
            the call counts.
        :param min_confidence: a lower one does not count, in [0, 1].
        :param timeout_s: real time to wait at most.
        :raises WaitTimeout: when it is not shown in time, saying what was seen.
        :raises RuntimeError: in a callback that would block the executor.
        :raises ValueError: when a value is invalid.
        :raises concurrent.futures.CancelledError: when the monitor is closed meanwhile.
        """
        executor = executor_of(self.node)
        if is_inside(executor):
            raise RuntimeError(
                "wait_for in a callback of a single-threaded executor would wait for itself: "
                "use 'await monitor.expect(...)' in an async callback, a MultiThreadedExecutor, "
                "or on_held"
            )
        wait = self.expect(
            *expressions, held_s=held_s, min_confidence=min_confidence, timeout_s=timeout_s
        )
        looks = self._looks
        try:
            if executor is None:
                self._spin_until(wait)
            else:
                wait.block(timeout_s + _GRACE_S)
        except BaseException:
            wait.cancel()
            raise
        if not wait.done():
            is_stuck = looks == self._looks
            hint = "; no callback ran meanwhile: does a thread spin the node?" if is_stuck else ""
            wait.expire(self.is_running, hint)
        return wait.result()

    def expect(
        self,
        *expressions: str,
        held_s: float = 0.0,
        min_confidence: float = 0.0,
        timeout_s: float = 10.0,
    ) -> Wait:
        """Begin to wait for a face, without blocking; await what is returned.

        The parameters are those of :meth:`wait_for`.

        :raises ValueError: when a value is invalid.
        """
        return self._people.expect(Condition(expressions, held_s, min_confidence), timeout_s)

    def watch(self, *expressions: str, held_s: float = 0.0, min_confidence: float = 0.0) -> Watch:
        """Measure a condition from now on; ``watch.face`` meets it.

        The parameters are those of :meth:`wait_for`. :meth:`forget` ends it.

        :raises ValueError: when a value is invalid.
        """
        return self._people.watch(Condition(expressions, held_s, min_confidence))

    def forget(self, watch: Watch) -> None:
        """End a :meth:`watch` or :meth:`on_held`."""
        self._people.forget(watch)

    # Callbacks

    def on_appeared(self, callback: Callable[[Face], object]) -> None:
        """Call ``callback`` with each face that has come."""
        self._people.call(EventKind.FACE_APPEARED, callback)

    def on_left(self, callback: Callable[[Face], object]) -> None:
        """Call ``callback`` with each face that has left, as it was last.

        All leave when the perception stops or starts again.
        """
        self._people.call(EventKind.FACE_LEFT, callback)

    def on_changed(self, callback: Callable[[Face, str], object]) -> None:
        """Call ``callback`` with each face that changes and its previous expression."""
        self._people.call(EventKind.EMOTION_CHANGED, callback)

    def on_held(
        self,
        callback: Callable[[Face], object],
        *expressions: str,
        held_s: float = 2.0,
        min_confidence: float = 0.0,
    ) -> Watch:
        """Call ``callback`` with each face that holds an expression, once each time.

        The other parameters are those of :meth:`wait_for`.

        :raises ValueError: when a value is invalid.
        """
        condition = Condition(expressions, held_s, min_confidence)
        return self._people.watch(condition, callback)

    def on_image(self, callback: Callable[[tuple[Face, ...]], object]) -> None:
        """Call ``callback`` with the faces of each image, largest first."""
        self._people.call(None, callback)

    # Inside

    def _on_emotions(self, message: EmotionArray, info: dict[str, Any]) -> None:
        # A publisher numbers its messages from 1 on; a number again is another publisher's.
        sequence = info.get("publication_sequence_number")
        if sequence is not None:
            if sequence <= self._sequence:
                self._on_other_publisher()
            self._sequence = sequence
        stamp_s = Time.from_msg(message.header.stamp).nanoseconds * 1e-9
        self._people.update(to_faces(message), stamp_s)

    def _on_other_publisher(self) -> None:
        """Let all faces leave, as another perception reuses their ids."""
        self._people.restart()
        publishers = self.node.count_publishers(self._people.source)
        if publishers > 1:  # or one was killed a moment ago
            self.node.get_logger().warning(
                f"{publishers} publishers on {self._people.source}, whose ids mean different "
                "faces: all faces leave whenever the publisher changes. Stop all but one, or start "
                "each in a namespace of its own: --ros-args -r __ns:=/robot1",
                throttle_duration_sec=30.0,
            )

    def _look(self) -> None:
        self._looks += 1
        self._people.look()

    def _spin_until(self, wait: Wait) -> None:
        executor = SingleThreadedExecutor(context=self.node.context)
        executor.add_node(self.node)
        try:
            end_s = wait.deadline_s + _GRACE_S
            while not wait.done() and self.node.context.ok() and time.monotonic() < end_s:
                executor.spin_once(timeout_sec=_LOOK_PERIOD_S)
        except ExternalShutdownException:
            wait.cancel()
        finally:
            executor.remove_node(self.node)
            executor.shutdown()
        if not self.node.context.ok():
            wait.cancel()

    def _spin(self) -> None:
        """Run the node of a stand-alone monitor, then leave the graph."""
        context = self.node.context
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(self.node)
        try:
            while not self._closing.is_set() and context.ok():
                executor.spin_once(timeout_sec=_LOOK_PERIOD_S)
        except ExternalShutdownException:
            pass
        finally:
            self._people.close()
            executor.shutdown()
            self.node.destroy_node()
            rclpy.try_shutdown(context=context)
