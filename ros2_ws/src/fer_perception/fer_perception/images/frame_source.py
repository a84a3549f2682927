# SPDX-License-Identifier: Apache-2.0
"""Where frames come from: a camera, a video, a folder of images, or a portrait as a stand-in."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np

from ..face import RgbImage

PORTRAIT: Final = "portrait"
IMAGE_SUFFIXES: Final = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


class FrameSourceError(Exception):
    """A source cannot be opened or read; the message names it and what to do."""


class FrameSource(Protocol):
    """A sequence of frames.

    :ivar rate_hz: frames a second at which it was recorded; None where it has no rate of its own.
    """

    rate_hz: float | None

    def read(self) -> RgbImage | None:
        """Return the next frame, or None after the last one."""
        ...

    def rewind(self) -> None:
        """Start again with the first frame, where there is one."""
        ...

    def close(self) -> None:
        """Give the device or file back."""
        ...


class CaptureSource:
    """A camera or a video file, read by OpenCV.

    :param device_or_path: a camera's index, or a file.
    :param width: asked of a camera, in pixels; 0 for its default.
    :param height: asked of a camera, in pixels; 0 for its default.
    :raises FrameSourceError: when it cannot be opened.
    """

    def __init__(self, device_or_path: int | Path, width: int = 0, height: int = 0) -> None:
        self._is_camera = isinstance(device_or_path, int)
        self._name = f"camera {device_or_path}" if self._is_camera else str(device_or_path)
        self._capture = cv2.VideoCapture(
            device_or_path if isinstance(device_or_path, int) else str(device_or_path)
        )
        if not self._capture.isOpened():
            hint = "is it there and free?" if self._is_camera else "is it a video?"
            raise FrameSourceError(f"cannot open {self._name}: {hint}")
        if self._is_camera and width and height:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.rate_hz = rate if math.isfinite(rate) and 0.0 < rate <= 1000.0 else None

    def read(self) -> RgbImage | None:
        """Return the next frame, or None after the last one of a file.

        :raises FrameSourceError: when a camera gives no frame.
        """
        there, frame = self._capture.read()
        if there:
            return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        if self._is_camera:
            raise FrameSourceError(f"{self._name} gives no more frames: was it unplugged?")
        return None

    def rewind(self) -> None:
        """Start again with the first frame of a file."""
        if not self._is_camera:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)

    def close(self) -> None:
        """Give the device or file back."""
        self._capture.release()


class ImageFolderSource:
    """The images of a folder, in the order of their names.

    :raises FrameSourceError: when it holds none.
    """

    rate_hz: float | None = None

    def __init__(self, folder: Path) -> None:
        self._paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
        if not self._paths:
            raise FrameSourceError(
                f"{folder} holds no image: expected {', '.join(sorted(IMAGE_SUFFIXES))}"
            )
        self._next = 0

    def read(self) -> RgbImage | None:
        """Return the next image, or None after the last one.

        :raises FrameSourceError: when it cannot be read; the one after it is next.
        """
        if self._next >= len(self._paths):
            return None
        path = self._paths[self._next]
        self._next += 1
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise FrameSourceError(f"{path} is no image that OpenCV can read")
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def rewind(self) -> None:
        """Start again with the first image."""
        self._next = 0

    def close(self) -> None:
        """Do nothing: no file is held open."""


class PortraitSource:
    """A moving view of the public-domain portrait of an astronaut that scikit-image ships.

    It stands in for a camera where there is none: real pixels of a real face, endlessly.

    :param width: of the view, in pixels.
    :param height: of the view, in pixels.
    :raises FrameSourceError: when scikit-image is not installed.
    """

    rate_hz: float | None = 30.0
    _PERIOD_S: Final = 10.0

    def __init__(self, width: int = 640, height: int = 480) -> None:
        spec = importlib.util.find_spec("skimage")
        if spec is None or spec.origin is None:
            raise FrameSourceError(
                "the portrait comes with scikit-image, which is missing: pip install scikit-image"
            )
        path = Path(spec.origin).parent / "data" / "astronaut.png"
        portrait = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if portrait is None:
            raise FrameSourceError(f"the portrait is missing in this scikit-image: {path}")
        self._portrait = cv2.cvtColor(portrait, cv2.COLOR_BGR2RGB)
        self._size = (width or 640, height or 480)
        self._count = 0

    def read(self) -> RgbImage:
        """Return the next view; the face moves in a slow circle, nearer and farther."""
        phase = 2.0 * math.pi * self._count / (30.0 * self._PERIOD_S)
        self._count += 1
        width, height = self._size
        # Chosen so that the view never leaves the portrait.
        zoom = (1.9 + 0.3 * math.sin(2.0 * phase)) * max(width / 640.0, height / 480.0)
        center_x = width * (0.5 + 0.05 * math.cos(phase))
        center_y = height * (0.36 + 0.03 * math.sin(phase))
        face_x, face_y = 224.0, 118.0  # centre of the face in the portrait
        matrix = np.array(
            [[zoom, 0.0, center_x - zoom * face_x], [0.0, zoom, center_y - zoom * face_y]]
        )
        return cv2.warpAffine(self._portrait, matrix, self._size, borderMode=cv2.BORDER_REPLICATE)

    def rewind(self) -> None:
        """Start again."""
        self._count = 0

    def close(self) -> None:
        """Do nothing: no file is held open."""


def open_frame_source(source: str, width: int = 0, height: int = 0) -> FrameSource:
    """Open the source that a text names.

    :param source: a camera's index; the path of a video or of a folder of images; "portrait"; or
        nothing for the first camera and, where there is none, the portrait.
    :param width: of a camera's frame or the portrait's view, in pixels; 0 for the default.
    :param height: the same.
    :raises FrameSourceError: when it cannot be opened.
    """
    if source == PORTRAIT:
        return PortraitSource(width, height)
    if source.isdigit():
        return CaptureSource(int(source), width, height)
    if not source:
        if any(Path("/dev").glob("video*")):
            try:
                return CaptureSource(0, width, height)
            except FrameSourceError:
                pass  # a device node that is no camera, or one in use
        return PortraitSource(width, height)
    path = Path(source).expanduser()
    if path.is_dir():
        return ImageFolderSource(path)
    if path.is_file():
        return CaptureSource(path)
    raise FrameSourceError(
        f"no such source: {source!r}; expected a camera's index, a video, a folder of images or "
        f"{PORTRAIT!r}"
    )
