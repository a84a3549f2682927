# SPDX-License-Identifier: Apache-2.0
"""Frames, their source interface, and its report of losses."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TypeAlias

from ..face import RgbImage

DEFAULT_RATE_HZ = 30.0
"""Frames per second of a source without times of its own."""

Warn: TypeAlias = Callable[[str], None]


class FrameSourceError(Exception):
    """A source cannot be opened or read; the message names the remedy."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a source.

    :ivar image: its pixels.
    :ivar time_s: seconds since the first frame; strictly increasing.
    :ivar name: file name in a folder of pictures; else empty.
    """

    image: RgbImage
    time_s: float
    name: str = ""


@dataclass(frozen=True)
class SourceReport:
    """Counts of frames delivered and lost by a source.

    :ivar frames: frames delivered since the start or the last rewind.
    :ivar missing: frames that the source contains or declares but that could not be read; known
        after the last frame.
    :ivar damaged: delivered frames that were decoded only in part.
    :ivar untimed: delivered frames without a time in the source; it is estimated.
    """

    frames: int = 0
    missing: int = 0
    damaged: int = 0
    untimed: int = 0


class FrameSource(ABC):
    """Iterate over the frames of a camera, video, folder or portrait.

    Each unusable part is reported once to ``warn`` and counted in
    :attr:`report`. After the last frame the iteration ends; :meth:`rewind` starts it again.

    :param name: of the source, for messages.
    :param warn: receives each warning; by default the module's logger.
    :ivar rate_hz: average frames per second; None where unknown.
    :ivar expected_frames: total frames declared by the source; None where it declares none.
    :ivar is_live: whether frames arrive as they are captured, possibly with gaps.
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
        """Restart with the first frame; a live source continues instead."""
        self.report = SourceReport()

    def close(self) -> None:
        """Release the device or file."""
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
