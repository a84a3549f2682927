# SPDX-License-Identifier: Apache-2.0
"""Exponential back-off between attempts of a failing operation."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_S = 0.1
LONGEST_S = 0.8
"""Below one second, so that a lamp that is reachable again shows the colour within a second."""


class Backoff:
    """Exponential back-off with jitter.

    :param uniform: source of randomness, like :func:`random.uniform`.
    :param first_s: longest time before the second attempt [s].
    :param longest_s: upper limit of the waiting time [s].
    """

    def __init__(
        self,
        uniform: Callable[[float, float], float] = random.uniform,
        first_s: float = FIRST_S,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._uniform = uniform
        self._first_s, self._longest_s = first_s, longest_s
        self._next_s = first_s

    def reset(self) -> None:
        """Restart from the shortest time, after a success."""
        self._next_s = self._first_s

    def next_s(self) -> float:
        """Return the next waiting time with jitter (50 to 100 %) [s]."""
        longest = self._next_s
        self._next_s = min(2.0 * self._next_s, self._longest_s)
        return self._uniform(0.5 * longest, longest)
