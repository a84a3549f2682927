# SPDX-License-Identifier: Apache-2.0
"""Publish face events of a stream, also when the stream stops."""

from __future__ import annotations

import threading
from collections.abc import Callable

from builtin_interfaces.msg import Time
from fer_msgs.msg import EmotionArray, FaceEvent
from std_msgs.msg import Header

from fer_common.resettable_clock import Stopwatch

from ..tracking.face_events import EventConfig, FaceEventDetector
from .event_messages import seen_faces, to_event_message


class EventPublisher:
    """Convert the faces of each frame to events; thread-safe.

    :param publish: receives each event.
    :param world_time_s: returns the stream's time in seconds: while a simulation or a bag is
        paused, the stream has not stopped.
    """

    def __init__(
        self, publish: Callable[[FaceEvent], None], world_time_s: Callable[[], float]
    ) -> None:
        self._publish = publish
        self._world_time_s = world_time_s
        self._detector = FaceEventDetector(EventConfig())
        self._lock = threading.Lock()
        self._silence = Stopwatch(world_time_s())

    def configure(self, config: EventConfig) -> None:
        """Set the configuration of the event detector."""
        with self._lock:
            self._detector.config = config

    def update(self, message: EmotionArray, time_s: float) -> None:
        """Publish the events of the next frame.

        :param time_s: of the frame, in seconds of any clock.
        """
        with self._lock:
            self._silence.restart(self._world_time_s())
            events = self._detector.update(seen_faces(message), time_s)
        for event in events:
            self._publish(to_event_message(event, message.header))

    def check_silence(self, stamp: Time) -> bool:
        """Publish that all faces left if frames stopped; return whether they did.

        :param stamp: of the events.
        """
        with self._lock:
            if self._silence.seconds(self._world_time_s()) <= self._detector.config.left_s:
                return False
            events = self._detector.leave_all()
        for event in events:
            self._publish(to_event_message(event, Header(stamp=stamp)))
        return True

    def forget(self) -> None:
        """Forget all faces without an event."""
        with self._lock:
            self._detector.leave_all()
