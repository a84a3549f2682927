# SPDX-License-Identifier: Apache-2.0
"""Trend of a process's resources over its restarts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

_S_PER_H = 3600.0


@dataclass(frozen=True)
class Trend:
    """Change of a quantity between start and end of processes.

    :ivar lives: number of lives with at least two samples.
    :ivar longest_s: duration of the longest sampled one [s].
    :ivar least: minimum.
    :ivar most: maximum.
    :ivar slope_per_h: common slope of the lines that fit all lives best [1/h].
    """

    lives: int
    longest_s: float
    least: float
    most: float
    slope_per_h: float

    @property
    def growth(self) -> float:
        """Growth over the longest life."""
        return self.slope_per_h * self.longest_s / _S_PER_H

    @classmethod
    def of(cls, samples: Iterable[tuple[Hashable, float, float]]) -> Trend:
        """Fit the trend.

        :param samples: (life, time [s], value) each.
        """
        lives: dict[Hashable, list[tuple[float, float]]] = defaultdict(list)
        for life, time_s, value in samples:
            lives[life].append((time_s, value))
        long = [points for points in lives.values() if len(points) > 1]
        if not long:
            return cls(0, 0.0, 0.0, 0.0, 0.0)
        covariance = variance = 0.0
        for points in long:
            # One intercept per life: differences between lives do not count as growth.
            mean_s = sum(time_s for time_s, _ in points) / len(points)
            mean = sum(value for _, value in points) / len(points)
            covariance += sum((time_s - mean_s) * (value - mean) for time_s, value in points)
            variance += sum((time_s - mean_s) ** 2 for time_s, _ in points)
        values = [value for points in long for _, value in points]
        return cls(
            len(long),
            max(points[-1][0] - points[0][0] for points in long),
            min(values),
            max(values),
            _S_PER_H * covariance / variance if variance else 0.0,
        )
