# SPDX-License-Identifier: Apache-2.0
"""Write a video that is complete, or none."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

import cv2

from fer_common.atomic_file import put_in_place

from ..face import RgbImage


class VideoWriter(AbstractContextManager["VideoWriter"]):
    """Write frames into a file beside ``path``, which replaces it once complete.

    OpenCV reports no failed write, for example on a full disk; the frames are therefore read back
    at the end. After a failure, ``path`` is unchanged. Without a frame, nothing is written.

    :param path: ends in ``.mp4``, ``.avi`` or ``.mkv``.
    :param rate_hz: frames per second.
    """

    def __init__(self, path: Path, rate_hz: float) -> None:
        self._path, self._rate_hz = path, rate_hz
        # The suffix selects the container.
        self._part = path.with_name(f"{path.stem}.part{path.suffix}")
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._count = 0

    def write(self, picture: RgbImage) -> None:
        """Append a frame, scaled to the size of the first one.

        :param picture: H x W x 3, RGB.
        :raises OSError: when the video cannot be opened.
        """
        if self._writer is None:
            self._size = (picture.shape[1], picture.shape[0])
            code = cv2.VideoWriter.fourcc(*"mp4v")
            writer = cv2.VideoWriter(str(self._part), code, self._rate_hz, self._size)
            if not writer.isOpened():
                self._part.unlink(missing_ok=True)
                raise OSError(
                    f"cannot write the video {self._path}: check the folder and the disk"
                )
            self._writer = writer
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = cv2.resize(picture, self._size)
        self._writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        self._count += 1

    def close(self) -> None:
        """Finish the video and put it in place.

        :raises OSError: when frames are missing in the file, which is then removed.
        """
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        try:
            readable = _frames(self._part)
            if readable < self._count:
                raise OSError(
                    f"cannot write the video {self._path}: {readable} of {self._count} frames "
                    "are readable; is the disk full?"
                )
            put_in_place(self._part, self._path)
        except BaseException:
            self._part.unlink(missing_ok=True)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the video, or remove it after a failure."""
        if error is None:
            self.close()
        elif self._writer is not None:
            self._writer.release()
            self._part.unlink(missing_ok=True)


def _frames(path: Path) -> int:
    video = cv2.VideoCapture(str(path))
    count = 0
    while video.grab():
        count += 1
    video.release()
    return count
