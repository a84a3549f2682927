# SPDX-License-Identifier: Apache-2.0
"""Gives the frames of a video file at the times that its container says."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2

from .frames import DEFAULT_RATE_HZ, Frame, FrameSource, FrameSourceError, Warn

_MAX_RATE_HZ: Final = 1000.0
_AT_ONCE_S: Final = 0.001
# Frames of a real video: more are a container's missing duration, read as a number.
_MAX_FRAMES: Final = 1e9


class FrameTimes:
    """Turns a container's positions into times that start at 0 and increase strictly.

    A frame without a position follows at the last interval: raw H.264 has none, and OpenCV 4.6
    gives none for the frames that the decoder still holds at the end of a file. One whose
    position is behind, as next to a damaged part, follows at once.

    :param period_s: assumed until two frames have said it.
    :ivar untimed: frames whose time had to be estimated.
    """

    def __init__(self, period_s: float) -> None:
        self.untimed = 0
        self._period_s = period_s
        self._first_s = 0.0
        self._last_s: float | None = None

    def next(self, position_s: float) -> float:
        """Return the time of the next frame, whose position is ``position_s``."""
        if self._last_s is None:
            self._first_s, self._last_s = position_s, 0.0
            return 0.0
        time_s = position_s - self._first_s
        if time_s > self._last_s:
            self._period_s = time_s - self._last_s
        else:  # among others NaN
            self.untimed += 1
            is_behind = position_s != 0.0 and time_s <= self._last_s
            time_s = self._last_s + (_AT_ONCE_S if is_behind else self._period_s)
        self._last_s = time_s
        return time_s


class VideoFile(FrameSource):
    """A video, read by OpenCV.

    :param path: of the file.
    :param rate_hz: frames a second in place of the container's times; 0 for those.
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
        self.rate_hz = self._asked_rate_hz or (rate_hz if is_rate else None)
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._promised = round(count) if 0.0 < count < _MAX_FRAMES else None
        self.expected_frames = self._promised
        self._times = FrameTimes(1.0 / (self.rate_hz or DEFAULT_RATE_HZ))
        self._last_s = 0.0

    def __next__(self) -> Frame:
        """Return the next frame.

        :raises StopIteration: after the last one.
        :raises FrameSourceError: when there is not even a first one.
        """
        there, image = self._capture.read()
        if not there:
            self._end()
            raise StopIteration
        count = self.report.frames
        if self._asked_rate_hz:
            self._last_s = count / self._asked_rate_hz
        else:
            position_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
            self._last_s = self._times.next(position_s)
        self.report = replace(self.report, frames=count + 1, untimed=self._times.untimed)
        return Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), self._last_s)

    def _end(self) -> None:
        """Hold what was read against what the container promises."""
        frames = self.report.frames
        if not frames:
            raise FrameSourceError(f"{self.name} gives no frame: it is damaged or empty")
        if self._promised is None or frames >= self._promised:
            return
        if self._counts_frames:
            self._warn_once(
                f"{self.name} promises {self._promised} frames, but only {frames} can be read: "
                "it is damaged, cut short or trimmed"
            )
        elif self.rate_hz and not self._asked_rate_hz:
            # The count is estimated from the duration; at a variable rate it is too high.
            promised_s, read_s = self._promised / self.rate_hz, self._last_s + 1.0 / self.rate_hz
            if read_s > 0.95 * promised_s:
                return
            self._warn_once(
                f"{self.name} promises {promised_s:.2f} s (about {self._promised} frames), but "
                f"its {frames} frames end at {read_s:.2f} s: it is damaged or cut short"
            )
        self.report = replace(self.report, missing=self._promised - frames)

    def rewind(self) -> None:
        """Start again with the first frame."""
        super().rewind()
        # Seeking to the first frame needs an index, which not every container has.
        self.close()
        self._open()

    def close(self) -> None:
        """Give the file back."""
        self._capture.release()


def _counts_frames(path: Path) -> bool:
    """Return whether the container says how many frames it holds: MP4, MOV and AVI do."""
    with path.open("rb") as file:
        start = file.read(12)
    return start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") or (
        start[:4] == b"RIFF" and start[8:12] == b"AVI "
    )
