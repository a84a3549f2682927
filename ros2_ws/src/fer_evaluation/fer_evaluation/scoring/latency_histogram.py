# SPDX-License-Identifier: Apache-2.0
"""Percentiles of latencies in memory of a fixed size."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SHORTEST_S: Final = 1e-5
_LONGEST_S: Final = 1e3
_RATIO: Final = 1.01
_BINS: Final = math.ceil(math.log(_LONGEST_S / _SHORTEST_S) / math.log(_RATIO))


class LatencyHistogram:
    """Histogram of times from 10 us to 1000 s, 1 % per bin.

    :ivar counts: of each bin.
    """

    def __init__(self) -> None:
        self.counts: NDArray[np.int64] = np.zeros(_BINS, np.int64)

    def add(self, latency_s: float) -> None:
        """Count a time [s]."""
        ratio = max(latency_s, _SHORTEST_S) / _SHORTEST_S
        self.counts[min(int(math.log(ratio) / math.log(_RATIO)), _BINS - 1)] += 1

    def percentile_s(self, percent: float) -> float | None:
        """Return a percentile [s], exact to 1 %; None without times."""
        total = int(self.counts.sum())
        if not total:
            return None
        index = int(np.searchsorted(self.counts.cumsum(), percent / 100.0 * total))
        return _SHORTEST_S * _RATIO ** (min(index, _BINS - 1) + 0.5)

    def coarse(self, bins: int) -> list[tuple[float, float, int]]:
        """Return (from, to, count) of about ``bins`` bins over all times [s]."""
        used = np.flatnonzero(self.counts)
        if not used.size:
            return []
        step = max(1, math.ceil((used[-1] - used[0] + 1) / bins))
        return [
            (
                _SHORTEST_S * _RATIO ** float(i),
                _SHORTEST_S * _RATIO ** float(i + step),
                int(self.counts[i : i + step].sum()),
            )
            for i in range(int(used[0]), int(used[-1]) + 1, step)
        ]
