# SPDX-License-Identifier: Apache-2.0
"""Read the frames of a video file with its container's times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

import cv2

from .frames import DEFAULT_RATE_HZ, Frame, FrameSource, FrameSourceError, Warn

_MAX_RATE_HZ: Final = 1000.0
_AT_ONCE_S: Final = 0.001
_LEAST_INTERVAL_S: Final = 1e-6
_GAPS_SHARE: Final = 0.05  # share of the intervals of a stream that counts as steady
_WHOLE_SHARE: Final = 0.95  # share of a duration, which is not exact in every container
# Limit of plausible frame counts: a larger one is a missing duration read as a number.
_MAX_FRAMES: Final = 1e9


class FrameTimes:
    """Convert container positions to strictly increasing times from 0.

    A frame without a position follows at the last interval: raw H.264 has none, and OpenCV 4.6
    gives none for the frames that the decoder still buffers at the end of a file. One whose
    position is behind, as next to a damaged part, follows at once.

    :param period_s: assumed until two frames are known.
    :ivar period_s: the last interval between two frames.
    :ivar untimed: frames with an estimated time.
    """

    def __init__(self, period_s: float) -> None:
        self.untimed = 0
        self.period_s = period_s
        self._first_s = 0.0
        self._last_s: float | None = None

    def next(self, position_s: float) -> float:
        """Return the time of the next frame, whose position is ``position_s``."""
        if self._last_s is None:
            self._first_s, self._last_s = position_s, 0.0
            return 0.0
        time_s = position_s - self._first_s
        if time_s > self._last_s + _LEAST_INTERVAL_S:
            self.period_s = time_s - self._last_s
        else:  # including NaN
            self.untimed += 1
            is_behind = position_s != 0.0 and time_s <= self._last_s
            time_s = self._last_s + (_AT_ONCE_S if is_behind else self.period_s)
        self._last_s = time_s
        return time_s


def frames_in_gaps(times_s: Sequence[float]) -> int:
    """Estimate the frames missing from a steady stream; 0 for variable rates.

    :param times_s: of its frames, in increasing order.
    """
    intervals_s = [after - before for before, after in pairwise(times_s)]
    if not intervals_s:
        return 0
    period_s = median(intervals_s)
    gaps_s = [interval_s for interval_s in intervals_s if interval_s > 1.5 * period_s]
    if len(gaps_s) > _GAPS_SHARE * len(intervals_s):
        return 0
    return sum(round(gap_s / period_s) - 1 for gap_s in gaps_s)


class VideoFile(FrameSource):
    """A video file read by OpenCV.

    :param path: of the file.
    :param rate_hz: frames per second in place of the container's times; 0 for these.
    :param warn: receives each warning.
    :raises FrameSourceError: when it cannot be opened.
    """

    def __init__(self, path: Path, rate_hz: float = 0.0, warn: Warn | None = None) -> None:
        super().__init__(str(path), warn)
        self._path = path
        self._asked_rate_hz = rate_hz
        self._open()
        self._counts_frames = _counts_frames(path)

    def _open(self) -> None:
        self._capture = cv2.VideoCapture(str(self._path))
        if not self._capture.isOpened():
            raise FrameSourceError(f"cannot open {self.name}: is it a whole video?")
        rate_hz = self._capture.get(cv2.CAP_PROP_FPS)
        is_rate = math.isfinite(rate_hz) and 0.0 < rate_hz <= _MAX_RATE_HZ
        self._own_rate_hz = rate_hz if is_rate else None
        self.rate_hz = self._asked_rate_hz or self._own_rate_hz
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.expected_frames = round(count) if 0.0 < count < _MAX_FRAMES else None
        self._times = FrameTimes(1.0 / (self._own_rate_hz or DEFAULT_RATE_HZ))
        self._times_s: list[float] = []

    def __next__(self) -> Frame:
        """Return the next frame.

        :raises StopIteration: after the last one.
        :raises FrameSourceError: when the video contains no frame.
        """
        there, image = self._capture.read()
        if not there:
            self._end()
            raise StopIteration
        self._times_s.append(self._times.next(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0))
        count = self.report.frames
        if self._asked_rate_hz:
            time_s, untimed = count / self._asked_rate_hz, 0
        else:
            time_s, untimed = self._times_s[-1], self._times.untimed
        self.report = replace(self.report, frames=count + 1, untimed=untimed)
        return Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), time_s)

    def _end(self) -> None:
        """Compare the frames read with those the container declares."""
        frames = self.report.frames
        if not frames:
            raise FrameSourceError(f"{self.name} gives no frame: it is damaged or empty")
        missing = self._missing_of_counted() if self._counts_frames else self._missing_of_timed()
        self.report = replace(self.report, missing=missing)

    def _missing_of_counted(self) -> int:
        frames, expected = self.report.frames, self.expected_frames
        if expected is None or frames >= expected:
            return 0
        self._warn_once(
            f"{self.name} promises {expected} frames, but only {frames} can be read: it is "
            "damaged, cut short or trimmed"
        )
        return expected - frames

    def _missing_of_timed(self) -> int:
        frames, expected = self.report.frames, self.expected_frames
        if expected is not None:
            # The count is estimated from duration and rate, too high at a variable rate.
            promised_s = expected / (self._own_rate_hz or DEFAULT_RATE_HZ)
            read_s = self._times_s[-1] + self._times.period_s
            if read_s < _WHOLE_SHARE * promised_s:
                self._warn_once(
                    f"{self.name} promises {promised_s:.2f} s (about {expected} frames), but its "
                    f"{frames} frames end at {read_s:.2f} s: it is damaged or cut short"
                )
                return max(0, expected - frames)
        lacking = frames_in_gaps(self._times_s)
        if lacking:
            self._warn_once(
                f"{self.name} gives {frames} frames at a steady rate, but about {lacking} are "
                "missing between them: it is damaged, or the recorder left them out"
            )
        return lacking

    def rewind(self) -> None:
        """Restart with the first frame."""
        super().rewind()
        # Seeking to the first frame needs an index, which not every container has.
        self.close()
        self._open()

    def close(self) -> None:
        """Release the file."""
        self._capture.release()


def _counts_frames(path: Path) -> bool:
    """Return whether the container declares its frame count (MP4, MOV, AVI)."""
    with path.open("rb") as file:
        start = file.read(12)
    return start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") or (
        start[:4] == b"RIFF" and start[8:12] == b"AVI "
    )
