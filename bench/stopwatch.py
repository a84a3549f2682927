# SPDX-License-Identifier: Apache-2.0
"""Time calls by the clock and by the processor."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Clock: TypeAlias = Literal["wall", "cpu"]
"""Which time to print: by the clock, or of all processors, which other load affects less."""

CLOCKS: Final[tuple[Clock, ...]] = ("wall", "cpu")


@dataclass(frozen=True)
class Time:
    """Milliseconds of a call."""

    wall_ms: float
    cpu_ms: float

    def __add__(self, other: Time) -> Time:
        return Time(self.wall_ms + other.wall_ms, self.cpu_ms + other.cpu_ms)

    def by(self, clock: Clock) -> float:
        """Return the milliseconds of ``clock``."""
        return self.wall_ms if clock == "wall" else self.cpu_ms


def timed(call: Callable[..., object], *arguments: object) -> Time:
    """Return the time of a call in this process."""
    start, cpu = time.perf_counter(), time.process_time()
    call(*arguments)
    return Time(1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - cpu))


def median_ms(times: Iterable[Time], clock: Clock) -> float:
    """Return the median of ``times``."""
    return statistics.median(each.by(clock) for each in times)
