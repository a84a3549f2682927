# SPDX-License-Identifier: Apache-2.0
"""Play the frames of a source in real time, like a camera."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from ..runtime.rate_limit import RateLimit
from .frames import DEFAULT_RATE_HZ, Frame, FrameSource

_MOST_BEHIND_S: Final = 1.0
"""Delay beyond which playback, as after a suspend, does not catch up."""


def play(
    source: FrameSource,
    stop: threading.Event,
    loops: Callable[[], bool] = lambda: False,
    rate_hz: float = 0.0,
) -> Iterator[Frame]:
    """Yield the frames of ``source`` at their times until ``stop`` is set.

    :param loops: called after the last frame; returns whether to restart.
    :param rate_hz: maximum frames per second of a live source; 0 for all.
    :raises ~fer_perception.images.frames.FrameSourceError: as the source does.
    """
    limit = RateLimit()
    start_s = time.monotonic()
    while not stop.is_set():
        last_s, period_s = 0.0, 1.0 / (source.rate_hz or DEFAULT_RATE_HZ)
        for frame in source:
            if source.is_live:
                if stop.is_set():
                    return
                if limit.allows(frame.time_s, rate_hz):
                    yield frame
                continue
            wait_s = start_s + frame.time_s - time.monotonic()
            if wait_s < -_MOST_BEHIND_S:
                start_s -= wait_s
            if stop.wait(max(0.0, wait_s)):
                return
            yield frame
            period_s = frame.time_s - last_s or period_s
            last_s = frame.time_s
        if not loops():
            return
        start_s += last_s + period_s
        source.rewind()
