# SPDX-License-Identifier: Apache-2.0
"""Read the pictures of a folder as frames."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .decoding import ImageError
from .frames import DEFAULT_RATE_HZ, Frame, FrameSource, FrameSourceError, Warn
from .picture_files import IMAGE_SUFFIXES, picture_paths, read_picture


class PictureFolder(FrameSource):
    """The pictures of a folder in natural order, or one picture.

    Hidden files are skipped. A picture that cannot be read is skipped, reported and counted.

    :param path: of the folder or picture.
    :param rate_hz: frames per second; 0 for 30. A skipped picture leaves a gap in time.
    :param warn: receives each warning.
    :raises FrameSourceError: when the folder contains no picture.
    """

    def __init__(self, path: Path, rate_hz: float = 0.0, warn: Warn | None = None) -> None:
        super().__init__(str(path), warn)
        self._paths = picture_paths(path) if path.is_dir() else [path]
        if not self._paths:
            raise FrameSourceError(
                f"{path} holds no image: expected {', '.join(sorted(IMAGE_SUFFIXES))}"
            )
        self.expected_frames = len(self._paths)
        self._period_s = 1.0 / (rate_hz or DEFAULT_RATE_HZ)
        self._next = 0

    def __next__(self) -> Frame:
        """Return the next picture that can be read.

        :raises StopIteration: after the last one.
        :raises FrameSourceError: when no picture of the folder can be read.
        """
        while self._next < len(self._paths):
            path, index = self._paths[self._next], self._next
            self._next += 1
            try:
                decoded = read_picture(path)
            except ImageError as error:
                self._warn_once(f"left out: {error}")
                self.report = replace(self.report, missing=self.report.missing + 1)
                continue
            if decoded.damage:
                self._warn_once(f"{path}: {decoded.damage}")
            self.report = replace(
                self.report,
                frames=self.report.frames + 1,
                damaged=self.report.damaged + bool(decoded.damage),
            )
            return Frame(decoded.pixels, index * self._period_s, path.name)
        if not self.report.frames:
            raise FrameSourceError(
                f"{self.name}: none of its {len(self._paths)} pictures can be read"
            )
        raise StopIteration

    def rewind(self) -> None:
        """Start again with the first picture."""
        super().rewind()
        self._next = 0
