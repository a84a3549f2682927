# SPDX-License-Identifier: Apache-2.0
"""Open a camera, video, picture folder or portrait by its name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from .camera import NETWORK_SCHEMES, Camera, is_network_address, without_secrets
from .frames import Frame, FrameSource, FrameSourceError, SourceReport, Warn
from .picture_files import is_picture
from .picture_folder import PictureFolder
from .portrait import PortraitSource
from .video_file import VideoFile

__all__ = [
    "FIRST_CAMERA",
    "PORTRAIT",
    "Frame",
    "FrameSource",
    "FrameSourceError",
    "PortraitSource",
    "SourceReport",
    "open_frame_source",
]

FIRST_CAMERA: Final = "0"
PORTRAIT: Final = "portrait"
_EXPECTED: Final = (
    f"expected a camera's index or device, an address ({', '.join(NETWORK_SCHEMES)}), a video, "
    f"a folder of pictures, a picture or {PORTRAIT!r}"
)


def open_frame_source(
    source: str,
    width: int = 0,
    height: int = 0,
    rate_hz: float = 0.0,
    warn: Warn | None = None,
    may_choose: bool = False,
) -> FrameSource:
    """Open the source named by a string.

    A source requested explicitly is never replaced by another.

    :param source: a camera's index or device (``/dev/video0``, ``/dev/v4l/by-id/...``); the
        address of a stream (``rtsp://...``, ``http://...``); the path of a video, of a folder of
        pictures or of one picture; or "portrait".
    :param width: of a camera's frame or the portrait's view [px]; 0 for the default.
    :param height: the same.
    :param rate_hz: frames a second of pictures and the portrait, and in place of a video's own
        times; asked of a camera. 0 for the source's own.
    :param warn: receives a sentence for each part of the source that cannot be used.
    :param may_choose: whether an empty text means the first camera and, where none can be
        opened, the portrait.
    :raises FrameSourceError: when it cannot be opened.
    """
    if source == PORTRAIT:
        return PortraitSource(width, height, rate_hz)
    if not source and may_choose:
        if any(Path("/dev").glob("video*")):
            try:
                return Camera(int(FIRST_CAMERA), width, height, rate_hz, warn)
            except FrameSourceError as error:
                if warn:
                    warn(f"{error} The portrait stands in for it.")
        return PortraitSource(width, height, rate_hz)
    if not source.strip():
        raise FrameSourceError(f"no such source: {source!r}; {_EXPECTED}")
    if re.fullmatch("[0-9]{1,4}", source):
        return Camera(int(source), width, height, rate_hz, warn)
    if is_network_address(source):
        return Camera(source, rate_hz=rate_hz, warn=warn)
    try:
        path = Path(source).expanduser()
        if path.is_char_device() or str(path).startswith("/dev/"):
            return Camera(path, width, height, rate_hz, warn)
        is_video = path.suffix.lower() == ".gif" or not is_picture(path)
        if path.is_dir() or (path.is_file() and not is_video):
            return PictureFolder(path, rate_hz, warn)
        if path.is_file():
            return VideoFile(path, rate_hz, warn)
    except (OSError, RuntimeError) as error:  # no permission; no such user's home
        raise FrameSourceError(f"cannot open {source!r}: {error}") from None
    raise FrameSourceError(f"no such source: {without_secrets(source)!r}; {_EXPECTED}")
