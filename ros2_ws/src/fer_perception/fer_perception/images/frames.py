# SPDX-License-Identifier: Apache-2.0
"""What a source of frames gives: pictures, their times, and a count of what was lost."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TypeAlias

from ..face import RgbImage

DEFAULT_RATE_HZ = 30.0
"""Frames a second of a source that has no times of its own."""

Warn: TypeAlias = Callable[[str], None]


class FrameSourceError(Exception):
    """A source cannot be opened or read; the message names it and the remedy."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source.

    :ivar image: its pixels.
    :ivar time_s: when it is shown, in seconds since the first frame; increases strictly.
    :ivar name: of its file, in a folder of pictures; else empty.
    """

    image: RgbImage
    time_s: float
    name: str = ""


@dataclass(frozen=True)
class SourceReport:
    """Counts of what a source gave and of what it could not give.

    :ivar frames: frames given since the start or the last rewind.
    :ivar missing: frames that the source holds or promises and that could not be read; known
        after the last frame.
    :ivar damaged: frames among those given that are decoded only in part.
    :ivar untimed: frames among those given whose time the source does not say; it is estimated.
    """

    frames: int = 0
    missing: int = 0
    damaged: int = 0
    untimed: int = 0


class FrameSource(ABC):
    """An iterator over the frames of a camera, a video, a folder or the portrait.

    Whatever cannot be used is passed to ``warn`` in one sentence, once, and counted in
    :attr:`report`. After the last frame the iteration ends; :meth:`rewind` starts it again.

    :param name: names the source in messages.
    :param warn: receives each warning; by default the module's logger.
    :ivar rate_hz: frames a second on average; None where they are unknown.
    :ivar expected_frames: frames in all, as far as the source says; None where it does not.
    :ivar is_live: whether frames come when they are taken, and may stay away for a while.
    """

    rate_hz: float | None = None
    expected_frames: int | None = None
    is_live = False

    def __init__(self, name: str, warn: Warn | None = None) -> None:
        self.name = name
        self._warn = warn or logging.getLogger(__name__).warning
        self._warned: set[str] = set()
        self.report = SourceReport()

    def __iter__(self) -> Iterator[Frame]:
        """Return the source itself."""
        return self

    @abstractmethod
    def __next__(self) -> Frame:
        """Return the next frame.

        :raises StopIteration: after the last one.
        :raises FrameSourceError: when none can be read, or a live source fails.
        """

    def rewind(self) -> None:
        """Start again with the first frame; a live source goes on instead."""
        self.report = SourceReport()

    def close(self) -> None:
        """Give the device or file back."""
        return

    def __enter__(self) -> FrameSource:
        """Return the source itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the source."""
        self.close()

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self._warn(message)
