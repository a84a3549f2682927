# SPDX-License-Identifier: Apache-2.0
"""Does each fault several times and tells how long the graph took to recover."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from .faults import FAULTS
from .world import World


@dataclass(frozen=True)
class Recovery:
    """What followed one kind of fault.

    :ivar seconds: times to recovery, of those that came [s].
    :ivar lost: what was waited for in vain.
    """

    fault: str
    seconds: tuple[float, ...]
    lost: tuple[str, ...]

    @property
    def median_s(self) -> float:
        """Median of the times; NaN without one."""
        return statistics.median(self.seconds) if self.seconds else float("nan")


@dataclass(frozen=True)
class FaultReport:
    """What followed all faults, and the flashes of the lamp in the worst second of all."""

    recoveries: tuple[Recovery, ...]
    flashes: int
    red_flashes: int
    exit_code: int


def measure(repeats: int, seed: int = 0, names: Sequence[str] = tuple(FAULTS)) -> FaultReport:
    """Do each fault ``repeats`` times, each time to a graph of its own.

    In one graph a node that is killed again and again would be waited for ever longer, as it
    should be.
    """
    rng = random.Random(seed)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    lost: dict[str, list[str]] = {name: [] for name in names}
    flashes = red_flashes = exit_code = 0
    for _ in range(repeats):
        with World() as world:
            for name in names:
                try:
                    FAULTS[name](world, rng)
                    seconds[name].append(world.wait_for_recovery())
                except (TimeoutError, AssertionError, ProcessLookupError) as error:
                    lost[name].append(str(error))
            exit_code = max(exit_code, abs(world.stop()))
            flashes = max(flashes, world.lamp.flashes.worst_flashes)
            red_flashes = max(red_flashes, world.lamp.flashes.worst_red_flashes)
    recoveries = tuple(Recovery(name, tuple(seconds[name]), tuple(lost[name])) for name in names)
    return FaultReport(recoveries, flashes, red_flashes, exit_code)
