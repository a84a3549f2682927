# SPDX-License-Identifier: Apache-2.0
"""Keep the worst mistakes as time ranges for inspection."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from .matching import FaceMatch

NOT_FOUND: Final = "not found"
"""Stands for the label of a face that was not found."""

_KEPT: Final = 10
# Wrong frames at most this far apart are one mistake.
_MAX_GAP_NS: Final = 500_000_000


@dataclass(frozen=True)
class Mistake:
    """A time range in which a face was mislabelled or missed.

    :ivar start_ns: stamp of the first frame.
    :ivar end_ns: stamp of the last one.
    :ivar frames: number of frames.
    :ivar predicted: the predicted labels, most frequent first.
    :ivar confidence: mean over the frames in which it was found, in [0, 1].
    """

    start_ns: int
    end_ns: int
    frames: int
    true_face_id: str
    true_label: str
    predicted: tuple[str, ...]
    confidence: float

    @property
    def weight(self) -> float:
        """Return its severity, which grows with length and confidence."""
        return self.frames * (0.5 + self.confidence)


@dataclass
class _Running:
    start_ns: int
    end_ns: int
    true_face_id: str
    true_label: str
    frames: int = 0
    confidence_sum: float = 0.0
    labels: Counter[str] = field(default_factory=Counter)

    def closed(self) -> Mistake:
        found = self.frames - self.labels[NOT_FOUND]
        return Mistake(
            self.start_ns,
            self.end_ns,
            self.frames,
            self.true_face_id,
            self.true_label,
            tuple(label for label, _ in self.labels.most_common()),
            self.confidence_sum / found if found else 0.0,
        )


class Mistakes:
    """Join each face's wrong frames to ranges and keep the worst."""

    def __init__(self) -> None:
        self._running: dict[str, _Running] = {}
        self._worst: list[tuple[float, int, Mistake]] = []
        self._count = 0

    def reset(self) -> None:
        """Restart after a step back in time."""
        for face_id in list(self._running):
            self._close(face_id)

    def add(self, stamp_ns: int, matches: Sequence[FaceMatch]) -> None:
        """Count a frame."""
        for match in matches:
            if not match.correct:
                self._go_on(stamp_ns, match)
        over = [f for f, r in self._running.items() if stamp_ns - r.end_ns > _MAX_GAP_NS]
        for face_id in over:
            self._close(face_id)

    def add_picture(self, match: FaceMatch, number: int) -> None:
        """Count a picture without time, by its number."""
        self._go_on(number, match)
        self._close(match.ground_truth.face_id)

    def _go_on(self, stamp_ns: int, match: FaceMatch) -> None:
        face_id, label = match.ground_truth.face_id, match.ground_truth.label
        running = self._running.get(face_id)
        if running and (running.true_label != label or stamp_ns - running.end_ns > _MAX_GAP_NS):
            self._close(face_id)
            running = None
        if running is None:
            running = self._running[face_id] = _Running(stamp_ns, stamp_ns, face_id, label)
        running.end_ns = stamp_ns
        running.frames += 1
        if match.predicted is None:
            running.labels[NOT_FOUND] += 1
        else:
            running.labels[match.predicted.label] += 1
            running.confidence_sum += match.predicted.confidence

    def _close(self, face_id: str) -> None:
        mistake = self._running.pop(face_id).closed()
        self._count += 1
        heapq.heappush(self._worst, (mistake.weight, -self._count, mistake))
        if len(self._worst) > _KEPT:
            heapq.heappop(self._worst)

    def worst(self) -> list[Mistake]:
        """Return the worst mistakes so far, the worst first."""
        self.reset()
        return [mistake for _, _, mistake in sorted(self._worst, key=lambda entry: -entry[0])]
