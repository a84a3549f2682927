# SPDX-License-Identifier: Apache-2.0
"""Measure the time to recovery after each fault."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from .faults import FAULTS
from .world import World


@dataclass(frozen=True)
class Recovery:
    """Recoveries from one kind of fault.

    :ivar seconds: times to recovery [s].
    :ivar lost: recoveries that timed out.
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
    """Recoveries from all faults, and flashes in the worst second."""

    recoveries: tuple[Recovery, ...]
    flashes: int
    red_flashes: int
    exit_code: int


def measure(repeats: int, seed: int = 0, names: Sequence[str] = tuple(FAULTS)) -> FaultReport:
    """Inject each fault ``repeats`` times, each into a new graph.

    In a single graph, a repeatedly killed node would be restarted with growing back-off.
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
