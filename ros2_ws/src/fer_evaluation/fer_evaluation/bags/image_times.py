# SPDX-License-Identifier: Apache-2.0
"""Decide between stamps and times of recording, on a whole bag.

Stamps that advance steadily are right however unevenly the recorder wrote: messages arrive late
and in bursts. So a fault is looked for in the stamps' own steps, and the times of recording say
whether a step is explained.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .bag_reader import OpenBag

_STAMP: dict[bool, struct.Struct] = {True: struct.Struct("<iI"), False: struct.Struct(">iI")}
# After CDR's encapsulation; a header is the first field of both types of images.
_STAMP_OFFSET = 4

CLOCK_TOPIC: Final = "/clock"
MAX_RATIO: Final = 50.0
"""A simulation may run this many times as fast as the recording, or as slowly."""

_WINDOW_S: Final = 0.5
# Larger steps back exceed frames out of order; larger steps ahead exceed jitter.
_JUMP_S: Final = 1.0
# A frame this far behind the newest one is not overtaken by it but of another clock.
_BEHIND_S: Final = 0.25
_SHARE: Final = 0.25
_MIN_FRAMES: Final = 4
# No camera is faster; nanoseconds taken for milliseconds are.
_SHORTEST_STEP_S: Final = 5e-4
_MIN_RUN: Final = 10
# A gap in the stamps is longer than this many steps.
_GAP_STEPS: Final = 5.0

_Times = NDArray[np.float64]


class TimeSource(Enum):
    """What the frames' time is taken from; ``NONE`` where nothing advances."""

    STAMPS = "stamps"
    RECORDING = "recording"
    NONE = "none"


@dataclass(frozen=True)
class ImageTimes:
    """How the images of a topic are timed.

    :ivar warning: what is wrong with their times and what follows; empty where nothing is.
    """

    source: TimeSource
    warning: str = ""


def header_stamp_ns(data: bytes) -> int | None:
    """Return the header's stamp of a serialised message; None without one."""
    if len(data) < _STAMP_OFFSET + 8:
        return None
    seconds, nanoseconds = _STAMP[bool(data[1] & 1)].unpack_from(data, _STAMP_OFFSET)
    return int(seconds) * 10**9 + int(nanoseconds)


def image_times(bag: OpenBag, topic: str) -> ImageTimes:
    """Decide how to time the images of ``topic``, from all times."""
    stamps_ns, recorded_ns = [], []
    for message in bag.messages({topic}):
        stamp_ns = header_stamp_ns(message.data)
        if stamp_ns is not None:
            stamps_ns.append(stamp_ns)
            recorded_ns.append(message.stamp_ns)
    return judge_times(stamps_ns, recorded_ns, topic, CLOCK_TOPIC in bag.topics)


def judge_times(
    stamps_ns: Sequence[int], recorded_ns: Sequence[int], topic: str, has_clock: bool = False
) -> ImageTimes:
    """Decide how to time images.

    :param stamps_ns: of the headers, in the order of recording.
    :param recorded_ns: time of recording of each.
    :param topic: of the images, for the warning.
    :param has_clock: whether the bag holds a simulation's clock, which may run at any rate.
    """
    if len(stamps_ns) < _MIN_FRAMES and any(stamps_ns):
        return ImageTimes(TimeSource.STAMPS)
    # Integers first: seconds since 1970 leave a float no nanoseconds.
    stamps = _seconds(stamps_ns)
    recorded = _seconds(recorded_ns)
    frames = len(stamps)
    fault = "are 0" + _place(np.array(stamps_ns) == 0, recorded) if 0 in stamps_ns else ""
    fault = fault or _fault(stamps, recorded)
    if frames >= _MIN_FRAMES:
        steps_s = float(np.ptp(recorded)) / (frames - 1)
        stands = _both_stand(stamps, recorded)
        stuck = (fault or np.ptp(stamps) < _SHORTEST_STEP_S * frames) and (
            steps_s < _SHORTEST_STEP_S
        )
        if stuck or stands.sum() >= _SHARE * frames:
            place = "" if stuck else _place(stands, recorded)
            return ImageTimes(
                TimeSource.NONE,
                f"neither the stamps on {topic} nor the times of recording advance{place}: "
                "frames are evaluated one by one, without tracking, smoothing and figures of time",
            )
        if not fault and stands.any():
            return ImageTimes(
                TimeSource.STAMPS,
                f"neither the stamps on {topic} nor the times of recording advance"
                f"{_place(stands, recorded)}: these frames count as one instant",
            )
    if fault:
        return ImageTimes(
            TimeSource.RECORDING, f"the stamps on {topic} {fault}: the time of recording is used"
        )
    return _judge_rate(stamps, recorded, topic, has_clock)


def _fault(stamps: _Times, recorded: _Times) -> str:
    """Return the fault of the stamps' steps, or an empty string."""
    if len(stamps) < _MIN_FRAMES:
        return ""
    steps = np.diff(stamps)
    newest = np.maximum.accumulate(stamps)
    behind = newest - stamps
    back = np.append(False, steps < -_JUMP_S)
    if stamps[-1] < stamps[0] and (steps < 0.0).mean() > 0.6:
        return "run backwards"
    if back.sum() >= 3 or (behind > _BEHIND_S).sum() >= _SHARE * len(stamps) and back.sum() != 1:
        return "jump back and forth, as of two clocks in turn" + _place(
            behind > _BEHIND_S, recorded
        )
    if back.any():
        first = int(back.argmax())
        return f"jump back by {-steps[first - 1]:.2f} s" + _place(back, recorded)
    ahead = steps[steps > 0.0]
    usual_s = float(np.median(ahead)) if ahead.size else 0.0
    stuck = np.append(False, stamps[1:] <= newest[:-1] + 0.05 * usual_s)
    stands = np.zeros(len(stamps), bool)
    repeated_s = 0.0
    for start, end in _runs(stuck):
        if end - start >= 3 and recorded[end - 1] - recorded[start] >= _WINDOW_S:
            stands[start:end] = True
        if (behind[start:end] <= 0.05 * usual_s).all():
            repeated_s += recorded[end - 1] - recorded[start - 1]
    span_s = float(np.ptp(recorded))
    if stands.any():
        return "stand still" + _place(stands, recorded)
    if repeated_s >= _SHARE * span_s > 0.0 and stuck.sum() >= 3:
        return "repeat themselves" + _place(stuck, recorded)
    return _jump_ahead(stamps, recorded, usual_s)


def _jump_ahead(stamps: _Times, recorded: _Times, usual_s: float) -> str:
    """Return where stamps run ahead of any plausible delay, or nothing."""
    steps = np.diff(stamps)
    span_s = float(np.ptp(recorded))
    if span_s < _WINDOW_S:
        return ""
    # Over windows of about a second, most of which a jump leaves alone.
    lag = min(len(stamps) - 1, max(1, round((len(stamps) - 1) / span_s)))
    waits = recorded[lag:] - recorded[:-lag]
    ratios = (stamps[lag:] - stamps[:-lag])[waits > 0.0] / waits[waits > 0.0]
    ratio = float(np.clip(np.median(ratios), 1.0 / MAX_RATIO, MAX_RATIO)) if ratios.size else 1.0
    delays = recorded - stamps / ratio
    least = np.minimum.accumulate(delays)
    jumps = np.append(False, (steps > _GAP_STEPS * usual_s) & (delays[1:] < least[:-1] - _JUMP_S))
    if not jumps.any():
        return ""
    first = int(jumps.argmax())
    return f"jump ahead by {steps[first - 1]:.2f} s" + _place(jumps, recorded)


def _judge_rate(stamps: _Times, recorded: _Times, topic: str, has_clock: bool) -> ImageTimes:
    """Decide by how fast the stamps advance on the whole."""
    span_s = float(np.ptp(recorded)) if len(recorded) else 0.0
    if span_s < _WINDOW_S or len(stamps) < _MIN_FRAMES:
        return ImageTimes(TimeSource.STAMPS)
    advance_s = float(stamps[-1] - stamps[0])
    ratio = advance_s / span_s
    by_recording = "the time of recording is used"
    if ratio < 1.0 / MAX_RATIO:
        fault = f"advance about {1.0 / max(ratio, 1e-12):.3g} times too slowly"
        return ImageTimes(TimeSource.RECORDING, f"the stamps on {topic} {fault}: {by_recording}")
    if ratio > MAX_RATIO:
        fault = f"advance about {ratio:.3g} times too fast"
        return ImageTimes(TimeSource.RECORDING, f"the stamps on {topic} {fault}: {by_recording}")
    if has_clock or abs(advance_s - span_s) < _WINDOW_S or abs(ratio - 1.0) < 0.1:
        return ImageTimes(TimeSource.STAMPS)
    rate = f"the stamps on {topic} advance {ratio:.3g} times as fast as the recording"
    if _is_steady(stamps, recorded, ratio):
        return ImageTimes(TimeSource.STAMPS, f"{rate}: the stamps are used")
    return ImageTimes(TimeSource.RECORDING, f"{rate}, and not steadily: {by_recording}")


def _is_steady(stamps: _Times, recorded: _Times, ratio: float) -> bool:
    """Return whether the steps are equal or proportional to the recording's."""
    steps = np.diff(stamps)
    usual_s = float(np.median(steps))
    if ((steps >= 0.5 * usual_s) & (steps <= 2.0 * usual_s)).mean() >= 0.9:
        return True
    ends = np.linspace(0, len(stamps) - 1, 5).astype(int)
    waits = np.maximum(np.diff(recorded[ends]), 1e-9)
    quarters = np.diff(stamps[ends]) / waits / ratio
    return bool(((quarters > 1.0 / 1.5) & (quarters < 1.5)).all())


def _both_stand(stamps: _Times, recorded: _Times) -> NDArray[np.bool_]:
    """Return the frames of long runs in which neither time advances."""
    still = np.append(
        False,
        (np.abs(np.diff(stamps)) < _SHORTEST_STEP_S)
        & (np.abs(np.diff(recorded)) < _SHORTEST_STEP_S),
    )
    for start, end in _runs(still):
        if end - start < _MIN_RUN:
            still[start:end] = False
    return still


def _seconds(times_ns: Sequence[int]) -> _Times:
    first_ns = times_ns[0] if times_ns else 0
    return np.array([(time_ns - first_ns) * 1e-9 for time_ns in times_ns])


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (first, last + 1) of each run of marked frames."""
    runs, start = [], 0
    for is_marked, group in groupby(marked):
        end = start + sum(1 for _ in group)
        if is_marked:
            runs.append((start, end))
        start = end
    return runs


def _place(marked: NDArray[np.bool_], recorded: _Times) -> str:
    """Return the place in the recording and count of marked frames."""
    first = int(marked.argmax())
    last = len(marked) - 1 - int(marked[::-1].argmax())
    count = int(marked.sum())
    start_s, end_s = recorded[first] - recorded[0], recorded[last] - recorded[0]
    if count == 1:
        return f" at {start_s:.2f} s of the recording"
    return f" between {start_s:.2f} s and {end_s:.2f} s of the recording ({count} frames)"
