# SPDX-License-Identifier: Apache-2.0
"""Read frames from a local camera or a network stream."""

from __future__ import annotations

import math
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2

from .frames import Frame, FrameSource, FrameSourceError, Warn

NETWORK_SCHEMES: Final = ("rtsp", "rtsps", "http", "https", "rtmp", "udp", "tcp")
"""Schemes of the stream addresses that OpenCV's FFmpeg reads."""

_TIMEOUT_MS: Final = 5000
_ADDRESS: Final = re.compile(rf"({'|'.join(NETWORK_SCHEMES)})://", re.IGNORECASE)
# User and password before the host, and the query, such as a token.
_SECRETS: Final = re.compile(r"(?<=://)[^/]*@|\?.*")
_MAX_RATE_HZ: Final = 1000.0


def is_network_address(source: str) -> bool:
    """Return whether ``source`` is the address of a stream."""
    return _ADDRESS.match(source) is not None


def without_secrets(source: str) -> str:
    """Return ``source`` for messages: an address without password and query."""
    return _SECRETS.sub("", source) if "://" in source else source


class Camera(FrameSource):
    """A camera read by OpenCV; frames are stamped on arrival.

    :param device: an index, a device such as ``/dev/v4l/by-id/...``, or a stream's address.
    :param width: requested from a local camera [px]; 0 for its default.
    :param height: requested from a local camera [px]; 0 for its default.
    :param rate_hz: requested from a local camera; 0 for its default.
    :param warn: receives each warning.
    :raises FrameSourceError: when it cannot be opened.
    """

    is_live = True

    def __init__(
        self,
        device: int | Path | str,
        width: int = 0,
        height: int = 0,
        rate_hz: float = 0.0,
        warn: Warn | None = None,
    ) -> None:
        super().__init__(f"camera {without_secrets(str(device))}", warn)
        self._first_s = math.nan
        if isinstance(device, str):
            timeouts = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC)
            limits = [value for name in timeouts for value in (name, _TIMEOUT_MS)]
            self._capture = cv2.VideoCapture(device, cv2.CAP_FFMPEG, limits)
        elif isinstance(device, Path):
            # Links such as those in by-id are resolved at each opening: a camera that is
            # plugged in again may have another number.
            self._capture = cv2.VideoCapture(str(device.resolve()), cv2.CAP_V4L2)
        else:
            self._capture = cv2.VideoCapture(device)
        if not self._capture.isOpened():
            hint = "does it stream?" if isinstance(device, str) else "is it there and free?"
            raise FrameSourceError(f"cannot open {self.name}: {hint}")
        if not isinstance(device, str):
            if width and height:
                self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
                self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
            if rate_hz:
                self._capture.set(cv2.CAP_PROP_FPS, rate_hz)
        rate_hz = self._capture.get(cv2.CAP_PROP_FPS)
        is_rate = math.isfinite(rate_hz) and 0.0 < rate_hz <= _MAX_RATE_HZ
        self.rate_hz = rate_hz if is_rate else None

    def __next__(self) -> Frame:
        """Wait for the next frame and return it.

        :raises FrameSourceError: when none comes.
        """
        there, image = self._capture.read()
        if not there:
            raise FrameSourceError(f"{self.name} gives no more frames: was it unplugged?")
        now_s = time.monotonic()
        if not self.report.frames:
            self._first_s = now_s
        self.report = replace(self.report, frames=self.report.frames + 1)
        return Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), now_s - self._first_s)

    def rewind(self) -> None:
        """Do nothing: a live source cannot be rewound."""

    def close(self) -> None:
        """Release the device or connection."""
        self._capture.release()
