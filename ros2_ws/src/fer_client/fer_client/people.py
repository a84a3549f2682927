# SPDX-License-Identifier: Apache-2.0
"""Follow who is there and what they show from their faces.

All comes from the faces of each image, so that a behaviour chooses its own durations, and a
restart of the perception or a lost event does not leave a face behind.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fer_common.resettable_clock import Stopwatch, StreamClock
from fer_perception.runtime.frame_clock import FrameClock
from fer_perception.tracking.face_events import (
    EventConfig,
    EventKind,
    FaceEvent,
    FaceEventDetector,
    SeenFace,
)

from .face import Condition, Face
from .holds import Holds
from .waiting import Wait

HISTORY_S: Final = 60.0
"""How long before its beginning a wait takes into account what was shown [s]."""

_Call = tuple[Callable[..., object], tuple[Any, ...]]


@dataclass(frozen=True)
class PeopleConfig:
    """Durations that decide who is there; all in seconds.

    :ivar dwell_s: minimum duration of a face or of another expression, as the perception's
        ``event_dwell_s``; a shorter lapse does not end what is held.
    :ivar left_s: time without detection after which a face has left.
    :ivar silent_after_s: time without a message after which nothing is running.
    """

    dwell_s: float = EventConfig.dwell_s
    left_s: float = EventConfig.left_s
    silent_after_s: float = 2.0


class Watch:
    """A condition that is measured until it is stopped.

    :param condition: what is watched for.
    :param holds: measures it.
    :param callback: called with the face, once each time the condition comes to be met.
    """

    def __init__(
        self, condition: Condition, holds: Holds, callback: Callable[[Face], object] | None
    ) -> None:
        self._condition = condition
        self._holds = holds
        self._callback = callback
        self._reported: set[str] = set()
        self.faces: tuple[Face, ...] = ()

    @property
    def face(self) -> Face | None:
        """Return the largest face that meets the condition now, or None."""
        return next(iter(self.faces), None)

    def update(self, faces: Sequence[Face], time_s: float) -> list[_Call]:
        """Take the faces of an image; return the calls to make."""
        self._holds.update(faces, time_s)
        self.faces = tuple(
            face
            for face in faces
            if self._condition.is_held_for(self._holds.seconds(face.face_id))
        )
        self._reported = {face_id for face_id in self._reported if face_id in self._holds}
        new = [face for face in self.faces if face.face_id not in self._reported]
        self._reported |= {face.face_id for face in new}
        return [(self._callback, (face,)) for face in new] if self._callback else []

    def clear(self) -> None:
        """Forget all faces."""
        self._holds.clear()
        self.faces = ()
        self._reported.clear()


@dataclass
class _Present:
    """A face that is there.

    :ivar labels: how long each label has lasted.
    """

    face: Face
    first_seen_s: float
    last_seen_s: float


class People:
    """Hold who is there now, and serve waits and callbacks; thread-safe.

    Callbacks run in the thread that calls :meth:`update` or :meth:`look`.

    :param source: where the faces come from, for errors.
    :param steady_s: a monotonic clock in seconds, which ends waits.
    :param world_s: the stream's clock, which stands still while a simulation is paused.
    :param report: receives the traceback of a callback that failed.
    """

    def __init__(
        self,
        source: str,
        config: PeopleConfig,
        steady_s: Callable[[], float] = time.monotonic,
        world_s: Callable[[], float] = time.monotonic,
        report: Callable[[str], object] = print,
    ) -> None:
        self.source = source
        self._config = config
        self._steady_s = steady_s
        self._world_s = world_s
        self._report = report
        self._lock = threading.RLock()
        self._is_running = False
        self._silence = Stopwatch(world_s())
        self._waits: list[Wait] = []
        self._watches: list[Watch] = []
        self._callbacks: dict[EventKind | None, list[Callable[..., object]]] = {}
        self._detector = FaceEventDetector(EventConfig(config.dwell_s, 0.0, config.left_s))
        self._labels: dict[str, Holds] = {}
        self._present: dict[str, _Present] = {}
        self._history: deque[tuple[float, tuple[Face, ...]]] = deque()
        self._time_s = 0.0
        self._reset_time()

    # What is there

    @property
    def is_running(self) -> bool:
        """Return whether messages arrive: without a face nobody is there."""
        return self._is_running

    @property
    def faces(self) -> tuple[Face, ...]:
        """Return the faces that are there, largest first.

        A face that is not found for less than ``left_s`` is there.
        """
        with self._lock:
            faces = (one.face for one in self._present.values())
            return tuple(sorted(faces, key=lambda face: face.box.area, reverse=True))

    # What comes in

    def update(self, faces: Iterable[Face], stamp_s: float) -> None:
        """Take the faces of the next image.

        :param faces: largest first; those without an id are left out.
        :param stamp_s: of the image, in seconds of any clock; 0 when unset.
        """
        seen = [face for face in faces if face.face_id]
        with self._lock:
            frame = self._frame_clock.advance(stamp_s, self._steady_s())
            time_s, is_set_back = self._stream_clock.advance(frame.time_s)
            calls = self._leave_all() if is_set_back else []
            if time_s - self._time_s > self._config.silent_after_s:
                self._forget_holds()
            self._time_s = time_s
            self._is_running = True
            self._silence.restart(self._world_s())
            shown = self._see(seen)
            calls += self._events(
                self._detector.update(
                    [SeenFace(face.face_id, face.emotion, face.confidence) for face in shown],
                    time_s,
                )
            )
            self._drop_unseen()
            for watch in self._watches:
                calls += watch.update(shown, time_s)
            calls += self._serve_waits(shown)
            calls += [(callback, (tuple(shown),)) for callback in self._callbacks.get(None, ())]
        self._make(calls)

    def look(self) -> None:
        """Detect that messages have stopped, and end waits that took too long."""
        with self._lock:
            calls: list[_Call] = []
            silent_s = self._silence.seconds(self._world_s())
            if self._is_running and silent_s > self._config.silent_after_s:
                self._is_running = False
                calls = self._leave_all()
                self._reset_time()
            now_s = self._steady_s()
            for wait in self._waits:
                if now_s >= wait.deadline_s:
                    calls.append((wait.expire, (self._is_running,)))
            self._waits = [w for w in self._waits if now_s < w.deadline_s and not w.done()]
        self._make(calls)

    def restart(self) -> None:
        """Let all faces leave, as a restarted perception reuses their ids."""
        with self._lock:
            calls = self._leave_all()
            self._reset_time()
        self._make(calls)

    def close(self) -> None:
        """Cancel all waits and forget all callbacks."""
        with self._lock:
            waits, self._waits = self._waits, []
            self._watches.clear()
            self._callbacks.clear()
        for wait in waits:
            wait.cancel()

    # What is asked for

    def expect(self, condition: Condition, timeout_s: float) -> Wait:
        """Begin to wait for a face that meets a condition.

        :raises ValueError: when the timeout is not finite and positive.
        """
        with self._lock:
            holds = self._holds(condition)
            wait = Wait(condition, holds, timeout_s, self.source, self._steady_s())
            self._waits.append(wait)
            newest = self._history[-1][1] if self._history else ()
            calls = self._serve_waits(newest, [wait]) if self._is_running else []
        self._make(calls)
        return wait

    def watch(
        self, condition: Condition, callback: Callable[[Face], object] | None = None
    ) -> Watch:
        """Measure a condition until :meth:`forget`."""
        with self._lock:
            watch = Watch(condition, self._holds(condition), callback)
            self._watches.append(watch)
        return watch

    def forget(self, watch: Watch) -> None:
        """Stop measuring a condition."""
        with self._lock:
            self._watches.remove(watch)

    def call(self, kind: EventKind | None, callback: Callable[..., object]) -> None:
        """Call ``callback`` for each event of a kind, or each image."""
        with self._lock:
            self._callbacks.setdefault(kind, []).append(callback)

    # Inside: the lock is held

    def _reset_time(self) -> None:
        self._frame_clock = FrameClock()
        self._stream_clock = StreamClock()
        self._time_s = 0.0

    def _holds(self, condition: Condition) -> Holds:
        """Return a condition's holds, with what was shown before."""
        holds = Holds(condition.is_shown_by, self._config.dwell_s)
        for time_s, faces in self._history:
            holds.update(faces, time_s)
        return holds

    def _see(self, faces: Sequence[Face]) -> list[Face]:
        """Return an image's faces with their durations."""
        for label in {face.emotion for face in faces} - self._labels.keys():
            self._labels[label] = Holds(_shows(label), self._config.dwell_s)
        for holds in self._labels.values():
            holds.update(faces, self._time_s)
        shown = []
        for face in faces:
            present = self._present.get(face.face_id)
            first_s = self._time_s if present is None else present.first_seen_s
            held_s = self._labels[face.emotion].seconds(face.face_id) or 0.0
            face = replace(face, held_s=held_s, seen_s=self._time_s - first_s)
            self._present[face.face_id] = _Present(face, first_s, self._time_s)
            shown.append(face)
        for one in self._present.values():
            one.face = replace(one.face, unseen_s=self._time_s - one.last_seen_s)
        self._history.append((self._time_s, tuple(shown)))
        while self._time_s - self._history[0][0] > HISTORY_S:
            self._history.popleft()
        return shown

    def _drop_unseen(self) -> None:
        for face_id, one in list(self._present.items()):
            if self._time_s - one.last_seen_s > self._config.left_s:
                del self._present[face_id]

    def _forget_holds(self) -> None:
        self._history.clear()
        for holds in (*self._labels.values(), *(wait.holds for wait in self._waits)):
            holds.clear()
        for watch in self._watches:
            watch.clear()

    def _leave_all(self) -> list[_Call]:
        calls = self._events(self._detector.leave_all())
        self._present.clear()
        self._forget_holds()
        return calls

    def _events(self, events: Iterable[FaceEvent]) -> list[_Call]:
        calls: list[_Call] = []
        for event in events:
            face = self._present[event.face_id].face
            words = (face, event.previous_emotion) if event.previous_emotion else (face,)
            calls += [(callback, words) for callback in self._callbacks.get(event.kind, ())]
        return calls

    def _serve_waits(
        self, faces: Sequence[Face], waits: Iterable[Wait] | None = None
    ) -> list[_Call]:
        calls: list[_Call] = []
        for wait in self._waits if waits is None else waits:
            if waits is None:
                wait.holds.update(faces, self._time_s)
            found = wait.note(faces)
            if found is not None:
                calls.append((wait.finish, (found,)))
        return calls

    def _make(self, calls: Iterable[_Call]) -> None:
        """Make all calls without the lock, also after one fails."""
        for call, words in calls:
            try:
                call(*words)
            except Exception:
                self._report(f"a callback failed: {traceback.format_exc()}")


def _shows(label: str) -> Callable[[Face], bool]:
    return lambda face: face.emotion == label
