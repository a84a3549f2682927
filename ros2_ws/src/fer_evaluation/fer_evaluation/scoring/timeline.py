# SPDX-License-Identifier: Apache-2.0
"""Predictions over time, in steps of a screen's resolution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_perception.emotions import EMOTIONS

from .matching import FaceMatch
from .predicted_face import PredictedFrame

MAX_BINS: Final = 1000
_FIRST_WIDTH_NS: Final = 1_000_000
# Tracks kept during the recording; beyond that, the shortest ones that ended are dropped.
_MAX_TRACKS: Final = 64
_ENDED_NS: Final = 10 * 10**9

Rgb = tuple[float, float, float]


@dataclass
class TrackBin:
    """A face in one step of time.

    :ivar scores: 7, summed over its frames.
    """

    frames: int = 0
    scores: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(EMOTIONS)))
    labels: Counter[str] = field(default_factory=Counter)

    def merge(self, other: TrackBin) -> None:
        """Add another step's frames."""
        self.frames += other.frames
        self.scores += other.scores
        self.labels += other.labels


@dataclass
class CrowdBin:
    """All faces in one step of time.

    :ivar frames: number of frames, also those without a face.
    :ivar labels: faces by predicted label, summed over the frames.
    """

    frames: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    def merge(self, other: CrowdBin) -> None:
        """Add another step's frames."""
        self.frames += other.frames
        self.labels += other.labels


@dataclass
class _Track:
    bins: dict[int, TrackBin] = field(default_factory=dict)
    frames: int = 0
    last_ns: int = 0


class Timeline:
    """Collect frames in steps of equal length.

    When the recording outgrows :data:`MAX_BINS` steps, each two become one, so that memory is
    bounded for recordings of any length.

    :ivar start_ns: stamp of the first frame; None before it.
    :ivar width_ns: length of a step.
    """

    def __init__(self) -> None:
        self.start_ns: int | None = None
        self.width_ns = _FIRST_WIDTH_NS
        self._end_ns = 0
        self._tracks: dict[str, _Track] = {}
        self._crowd: dict[int, CrowdBin] = {}
        self._truth: dict[str, dict[int, Counter[str]]] = {}
        self._lamp: dict[int, NDArray[np.float64]] = {}

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame [s]."""
        return (self._end_ns - self.start_ns) * 1e-9 if self.start_ns is not None else 0.0

    @property
    def bins(self) -> int:
        """Steps from the first to the last frame."""
        return self._bin(self._end_ns) + 1 if self.start_ns is not None else 0

    def add(self, frame: PredictedFrame, matches: Sequence[FaceMatch]) -> None:
        """Add a frame; one before the first counts as the first."""
        index = self._place(frame.stamp_ns)
        crowd = self._crowd.setdefault(index, CrowdBin())
        crowd.frames += 1
        crowd.labels.update(face.label for face in frame.faces)
        for face in frame.faces:
            track = self._tracks.setdefault(face.face_id, _Track())
            step = track.bins.setdefault(index, TrackBin())
            step.frames += 1
            step.scores += face.scores
            step.labels[face.label] += 1
            track.frames += 1
            track.last_ns = frame.stamp_ns
        for match in matches:
            truth = self._truth.setdefault(match.ground_truth.face_id, {})
            truth.setdefault(index, Counter())[match.ground_truth.label] += 1
        if len(self._tracks) > _MAX_TRACKS:
            self._give_up_a_track(frame.stamp_ns)

    def add_lamp(self, stamp_ns: int, rgb: Rgb) -> None:
        """Add the lamp's sRGB colour, each channel in [0, 1]."""
        end_ns = self._end_ns
        index = self._place(stamp_ns)
        if end_ns:  # the recording ends with its last frame, the lamp goes on
            self._end_ns = end_ns
        self._lamp.setdefault(index, np.zeros(4))
        self._lamp[index] += (*rgb, 1.0)

    def tracks(self) -> dict[str, dict[int, TrackBin]]:
        """Return the steps of each face, those with most frames first."""
        longest = sorted(self._tracks.items(), key=lambda entry: -entry[1].frames)
        return {face_id: track.bins for face_id, track in longest}

    def crowd(self) -> dict[int, CrowdBin]:
        """Return the faces of each step that has a frame."""
        return self._crowd

    def truth(self) -> dict[str, dict[int, str]]:
        """Return the most frequent label of each step, per ground-truth face."""
        return {
            face_id: {index: labels.most_common(1)[0][0] for index, labels in steps.items()}
            for face_id, steps in sorted(self._truth.items())
        }

    def lamp(self) -> dict[int, Rgb]:
        """Return the lamp's mean colour in each step."""
        return {
            index: (float(s[0] / s[3]), float(s[1] / s[3]), float(s[2] / s[3]))
            for index, s in self._lamp.items()
            if index < self.bins
        }

    def _bin(self, stamp_ns: int) -> int:
        return max(0, stamp_ns - (self.start_ns or 0)) // self.width_ns

    def _place(self, stamp_ns: int) -> int:
        """Return the step of a stamp, after making room for it."""
        if self.start_ns is None:
            self.start_ns = self._end_ns = stamp_ns
        self._end_ns = max(self._end_ns, stamp_ns)
        while self._bin(stamp_ns) >= MAX_BINS:
            self._halve()
        return self._bin(stamp_ns)

    def _halve(self) -> None:
        self.width_ns *= 2
        for track in self._tracks.values():
            merged: dict[int, TrackBin] = {}
            for index, step in track.bins.items():
                merged.setdefault(index // 2, TrackBin()).merge(step)
            track.bins = merged
        crowd: dict[int, CrowdBin] = {}
        for index, faces in self._crowd.items():
            crowd.setdefault(index // 2, CrowdBin()).merge(faces)
        self._crowd = crowd
        for face_id, labels in self._truth.items():
            counts: dict[int, Counter[str]] = {}
            for index, counter in labels.items():
                counts.setdefault(index // 2, Counter()).update(counter)
            self._truth[face_id] = counts
        lamp: dict[int, NDArray[np.float64]] = {}
        for index, color in self._lamp.items():
            lamp[index // 2] = lamp.get(index // 2, np.zeros(4)) + color
        self._lamp = lamp

    def _give_up_a_track(self, now_ns: int) -> None:
        ended = {f: t for f, t in self._tracks.items() if abs(now_ns - t.last_ns) > _ENDED_NS}
        if ended:
            del self._tracks[min(ended, key=lambda face_id: ended[face_id].frames)]
