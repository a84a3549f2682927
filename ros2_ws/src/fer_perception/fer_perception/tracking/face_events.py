# SPDX-License-Identifier: Apache-2.0
"""Turns the faces of each frame into events: came, left, changed, held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from fer_common.resettable_clock import StreamClock


class EventKind(Enum):
    """What happened."""

    FACE_APPEARED = "face_appeared"
    FACE_LEFT = "face_left"
    EMOTION_CHANGED = "emotion_changed"
    EMOTION_HELD = "emotion_held"


@dataclass(frozen=True)
class SeenFace:
    """A face of one frame.

    :ivar emotion: its label.
    :ivar confidence: of the label, in [0, 1].
    """

    face_id: str
    emotion: str
    confidence: float


@dataclass(frozen=True)
class FaceEvent:
    """Something that happened to a face.

    :ivar emotion: the expression now, or the last one of a face that left.
    :ivar previous_emotion: the one before, for a change; else empty.
    :ivar duration_s: for how long ``emotion`` has lasted, or the face was seen.
    """

    kind: EventKind
    face_id: str
    emotion: str
    previous_emotion: str = ""
    confidence: float = 0.0
    duration_s: float = 0.0


@dataclass(frozen=True)
class EventConfig:
    """When something counts; all in seconds.

    :ivar dwell_s: a face, or another expression, counts when it has lasted for this long.
    :ivar held_s: an expression is reported as held after this long; 0 never.
    :ivar left_s: a face has left when it was not seen for longer than this.
    """

    dwell_s: float = 0.3
    held_s: float = 2.0
    left_s: float = 1.0


@dataclass
class _Spell:
    """One face's presence."""

    first_seen_s: float
    last_seen_s: float
    emotion: str  # the one that counts
    since_s: float
    candidate: str  # the one that was seen last
    candidate_since_s: float
    is_announced: bool = False
    is_held: bool = False


class FaceEventDetector:
    """Follows the labels of all faces; each face appears and leaves exactly once.

    :param config: may be replaced at any time.
    """

    def __init__(self, config: EventConfig) -> None:
        self.config = config
        self._spells: dict[str, _Spell] = {}
        self._time = StreamClock()

    def update(self, faces: Iterable[SeenFace], stamp_s: float) -> list[FaceEvent]:
        """Return the events of the next frame, for each face in their order.

        :param stamp_s: when the frame was taken, in seconds of any clock. When it lies more than
            a second before the last one, time was set back: all faces have left.
        """
        stamp_s, is_set_back = self._time.advance(stamp_s)
        events = self.leave_all() if is_set_back else []
        for face in faces:
            events += self._see(face, stamp_s)
        for face_id, spell in list(self._spells.items()):
            if stamp_s - spell.last_seen_s > self.config.left_s:
                events += self._leave(face_id)
        return events

    def leave_all(self) -> list[FaceEvent]:
        """Return the leaving of all faces, as when images have stopped."""
        return [event for face_id in list(self._spells) for event in self._leave(face_id)]

    def _see(self, face: SeenFace, stamp_s: float) -> list[FaceEvent]:
        spell = self._spells.get(face.face_id)
        if spell is None:
            spell = _Spell(stamp_s, stamp_s, face.emotion, stamp_s, face.emotion, stamp_s)
            self._spells[face.face_id] = spell
        spell.last_seen_s = stamp_s
        if face.emotion != spell.candidate:
            spell.candidate, spell.candidate_since_s = face.emotion, stamp_s
        events = []
        if not spell.is_announced:
            if stamp_s - spell.first_seen_s < self.config.dwell_s:
                return []
            spell.is_announced = True
            spell.emotion, spell.since_s = spell.candidate, spell.candidate_since_s
            events.append(self._event(EventKind.FACE_APPEARED, face, spell, stamp_s))
        elif (
            spell.candidate != spell.emotion
            and stamp_s - spell.candidate_since_s >= self.config.dwell_s
        ):
            previous = spell.emotion
            spell.emotion, spell.since_s = spell.candidate, spell.candidate_since_s
            spell.is_held = False
            events.append(self._event(EventKind.EMOTION_CHANGED, face, spell, stamp_s, previous))
        if (
            not spell.is_held
            and face.emotion == spell.emotion
            and 0.0 < self.config.held_s <= stamp_s - spell.since_s
        ):
            spell.is_held = True
            events.append(self._event(EventKind.EMOTION_HELD, face, spell, stamp_s))
        return events

    @staticmethod
    def _event(
        kind: EventKind, face: SeenFace, spell: _Spell, stamp_s: float, previous: str = ""
    ) -> FaceEvent:
        duration_s = stamp_s - spell.since_s
        return FaceEvent(kind, face.face_id, spell.emotion, previous, face.confidence, duration_s)

    def _leave(self, face_id: str) -> list[FaceEvent]:
        spell = self._spells.pop(face_id)
        if not spell.is_announced:
            return []
        seen_s = spell.last_seen_s - spell.first_seen_s
        return [FaceEvent(EventKind.FACE_LEFT, face_id, spell.emotion, duration_s=seen_s)]
