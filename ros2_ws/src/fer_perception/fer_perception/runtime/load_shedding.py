# SPDX-License-Identifier: Apache-2.0
"""Shed load from a pipeline that is too slow for its camera."""

from __future__ import annotations

import math
from typing import Final

LEAST_EFFORT: Final = 0.125
"""Smallest share of the full effort."""

# Share of a new measurement in the mean latency.
_GAIN: Final = 0.1
# Effort is raised only with this much margin: twice the effort may take twice the time.
_ROOM: Final = 0.4
# Frames between two changes, so that the mean can follow.
_FRAMES_BETWEEN_CHANGES: Final = 20


class LoadShedder:
    """Halve the effort above a latency limit; double it with margin.

    :param max_latency_s: in seconds; 0 never sheds.
    :raises ValueError: when the limit is negative or not finite.
    """

    def __init__(self, max_latency_s: float) -> None:
        self.max_latency_s = max_latency_s
        self._effort = 1.0
        self._latency_s = 0.0
        self._frames = 0

    @property
    def max_latency_s(self) -> float:
        """Return the limit in seconds; it may be changed at any time."""
        return self._max_latency_s

    @max_latency_s.setter
    def max_latency_s(self, value: float) -> None:
        if not (math.isfinite(value) and value >= 0.0):
            raise ValueError(f"max_latency_s is {value}: expected a finite number of at least 0")
        self._max_latency_s = value

    @property
    def effort(self) -> float:
        """Return the share of the full effort: 1, 1/2, 1/4 or 1/8."""
        return self._effort if self._max_latency_s > 0.0 else 1.0

    def update(self, latency_s: float) -> None:
        """Add the latency of the last frame, from receipt to result [s]."""
        self._latency_s += _GAIN * (latency_s - self._latency_s)
        self._frames += 1
        if self._frames < _FRAMES_BETWEEN_CHANGES:
            return
        if self._latency_s > self._max_latency_s and self._effort > LEAST_EFFORT:
            self._effort /= 2.0
        elif self._latency_s < _ROOM * self._max_latency_s and self._effort < 1.0:
            self._effort *= 2.0
        else:
            return
        self._frames = 0
