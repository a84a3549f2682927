# SPDX-License-Identifier: Apache-2.0
"""A moving portrait in place of a missing camera."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from ..face import RgbImage
from .frames import DEFAULT_RATE_HZ, Frame, FrameSource, FrameSourceError

_PORTRAIT: Final = Path(__file__).with_name("astronaut.jpg")
_FACE_CENTER: Final = (224.0, 118.0)


class PortraitSource(FrameSource):
    """A moving view of a public-domain portrait (Eileen Collins, astronaut).

    It never ends.

    :param width: of the view [px]; 0 for 640.
    :param height: of the view [px]; 0 for 480.
    :param rate_hz: frames per second; 0 for 30.
    :raises FrameSourceError: when its file is missing.
    """

    _PERIOD_S: Final = 10.0

    def __init__(self, width: int = 0, height: int = 0, rate_hz: float = 0.0) -> None:
        super().__init__("the portrait")
        portrait = cv2.imread(str(_PORTRAIT), cv2.IMREAD_COLOR)
        if portrait is None:
            raise FrameSourceError(f"{_PORTRAIT} is missing: install fer_perception again")
        self._portrait = cv2.cvtColor(portrait, cv2.COLOR_BGR2RGB)
        self._size = (width or 640, height or 480)
        self.rate_hz: float = rate_hz or DEFAULT_RATE_HZ
        self._count = 0

    def read(self) -> RgbImage:
        """Return the next view: the face circles slowly and changes size."""
        phase = 2.0 * math.pi * self._count / (30.0 * self._PERIOD_S)
        self._count += 1
        width, height = self._size
        # Chosen so that the view never leaves the portrait.
        zoom = (1.9 + 0.3 * math.sin(2.0 * phase)) * max(width / 640.0, height / 480.0)
        center_x = width * (0.5 + 0.05 * math.cos(phase))
        center_y = height * (0.36 + 0.03 * math.sin(phase))
        face_x, face_y = _FACE_CENTER
        matrix = np.array(
            [[zoom, 0.0, center_x - zoom * face_x], [0.0, zoom, center_y - zoom * face_y]]
        )
        return cv2.warpAffine(self._portrait, matrix, self._size, borderMode=cv2.BORDER_REPLICATE)

    def __next__(self) -> Frame:
        """Return the next view as a frame."""
        time_s = self._count / self.rate_hz
        self.report = replace(self.report, frames=self.report.frames + 1)
        return Frame(self.read(), time_s)

    def rewind(self) -> None:
        """Restart with the first view."""
        super().rewind()
        self._count = 0
