# SPDX-License-Identifier: Apache-2.0
"""Choose the time of each frame: its stamp, or its receipt.

A camera's stamps may stand still, repeat, advance in another unit or come from two clocks. What
works with time (tracker, smoothing, schedule, events) would then freeze or lose every face. Where
the stamps do not advance plausibly against the time of receipt or of recording, that time counts.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from fer_common.resettable_clock import MAX_OVERTAKING_S

MAX_RATIO: Final = 200.0
"""Plausible ratio of stamps to reference, in both directions: a bag may be played
fast or slowly, but milliseconds read as nanoseconds are a million times off."""

WINDOW_S: Final = 2.0
"""Window of reference time that is checked [s], at least WINDOW_FRAMES."""
WINDOW_FRAMES: Final = 16

_BACKWARDS: Final = "run backwards"
_MIN_SPAN_S: Final = 0.5
_MIN_FRAMES: Final = 4
# A longer pause of the reference is ignored: the process may have been suspended.
_LONGEST_STEP_S: Final = 1.0
# A looped bag sets time back at intervals.
_MIN_STEPS_BACK: Final = 3
_SHARE_OF_STEPS_BACK: Final = 0.25
_SHARE_OF_A_CLOCK_THAT_RUNS_BACKWARDS: Final = 0.75
# One pause of a camera is normal, and so are copies of a frame that arrive at once.
_MIN_REPEATS: Final = 3
_MIN_REPEATED_STAMPS: Final = 2
_SHARE_OF_TIME_REPEATED: Final = 1.0 / 3.0


@dataclass(frozen=True)
class FrameTime:
    """The time of one frame.

    :ivar time_s: seconds since an arbitrary origin.
    :ivar fault: the fault of the stamps, to follow 'the stamps'; empty without one.
    """

    time_s: float
    fault: str


class FrameClock:
    """Follow plausible stamps of a stream, else the reference.

    The time stays continuous when the source changes.
    """

    def __init__(self) -> None:
        self._frames: deque[tuple[float, float]] = deque()
        self._offset_s = 0.0
        self._time_s = 0.0
        self._fault = ""

    def advance(self, stamp_s: float, reference_s: float) -> FrameTime:
        """Return the time of the next frame.

        :param stamp_s: from its header, in seconds; 0 when unset.
        :param reference_s: time of receipt or recording, in seconds of a monotonic clock.
        """
        if self._frames:
            step_s = max(0.0, reference_s - self._frames[-1][1])
        else:
            step_s = 0.0
        self._frames.append((stamp_s, reference_s))
        self._forget(reference_s)
        fault = self._judge()
        if fault:
            self._time_s += step_s
        else:
            if self._fault:
                self._offset_s = self._time_s + step_s - stamp_s
            self._time_s = stamp_s + self._offset_s
        self._fault = fault
        return FrameTime(self._time_s, fault)

    def _forget(self, reference_s: float) -> None:
        while (
            len(self._frames) > WINDOW_FRAMES
            and not reference_s - self._frames[1][1] < WINDOW_S  # including a reference set back
        ):
            self._frames.popleft()

    def _judge(self) -> str:
        """Return what is wrong with the stamps of the window, or nothing."""
        is_zero = self._frames[-1][0] == 0.0
        zero = "are 0, so that the camera sets none or has no clock (use_sim_time, no /clock?)"
        if len(self._frames) < _MIN_FRAMES:
            return zero if is_zero else self._fault
        steps = [after[0] - before[0] for before, after in pairwise(self._frames)]
        falling = sum(step < 0.0 for step in steps)
        is_falling = falling > _SHARE_OF_A_CLOCK_THAT_RUNS_BACKWARDS * len(steps)
        back = sum(step < -MAX_OVERTAKING_S for step in steps)
        if back >= max(_MIN_STEPS_BACK, _SHARE_OF_STEPS_BACK * len(steps)):
            return _BACKWARDS if is_falling else "jump back and forth, as of two clocks in turn"
        if is_zero:
            return zero
        waits = [max(0.0, after[1] - before[1]) for before, after in pairwise(self._frames)]
        span_s = sum(min(wait, _LONGEST_STEP_S) for wait in waits)
        if span_s < _MIN_SPAN_S:
            return self._fault
        if is_falling:
            return _BACKWARDS
        advance_s = sum(step for step in steps if step >= -MAX_OVERTAKING_S)
        overtaken = sum(-MAX_OVERTAKING_S <= step < 0.0 for step in steps)
        forwards_s = sum(step for step in steps if step > 0.0)
        if overtaken >= _MIN_STEPS_BACK and 2.0 * advance_s < forwards_s:
            return "repeat themselves"
        if advance_s <= 0.0:
            return "stand still"
        if advance_s * MAX_RATIO < span_s:
            return f"advance {_rounded(span_s / advance_s)} times too slowly"
        if median(steps) > MAX_RATIO * (sum(waits) / len(waits)):
            return f"advance {_rounded(median(steps) * len(waits) / sum(waits))} times too fast"
        if _repeat(steps, waits, span_s):
            return "repeat themselves"
        return ""


def _repeat(steps: list[float], waits: list[float], span_s: float) -> bool:
    """Return whether the stamps repeat while time advances.

    :param steps: of the stamps, from frame to frame, in seconds.
    :param waits: of the reference, in seconds.
    :param span_s: sum of the waits, long ones cut.
    """
    repeats = [wait for step, wait in zip(steps, waits, strict=True) if step == 0.0]
    stamps = sum(before != 0.0 and after == 0.0 for before, after in pairwise([1.0, *steps]))
    return (
        len(repeats) >= _MIN_REPEATS
        and stamps >= _MIN_REPEATED_STAMPS
        and sum(min(wait, _LONGEST_STEP_S) for wait in repeats) >= _SHARE_OF_TIME_REPEATED * span_s
    )


def _rounded(factor: float) -> str:
    """Return ``factor`` as a power of ten, stable from frame to frame."""
    return f"about {10.0 ** round(math.log10(factor)):g}"
