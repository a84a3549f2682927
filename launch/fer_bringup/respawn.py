# SPDX-License-Identifier: Apache-2.0
"""Which nodes that have ended are started again, and when."""

from __future__ import annotations

import signal

from fer_common.backoff import Backoff

FIRST_DELAY_S = 3.0
"""A node that died is started again after half of this time to all of it [s].

Half of it is longer than the window in which the light counts flashes: a light node that comes
back knows nothing of the flashes of the one before, but no second holds flashes of both."""

LONGEST_DELAY_S = 32.0
"""For one that dies again and again [s]."""

SETTLED_S = 60.0
"""Whoever has lived for so long is well: the next time waits for as long as the first one [s]."""

_INTENDED_ENDS = (0, 2, -signal.SIGINT, -signal.SIGTERM)


def is_failure(exit_code: int) -> bool:
    """Return whether a node died, rather than was stopped (0) or was started wrongly (2).

    :param exit_code: negative for the signal that killed it.
    """
    return exit_code not in _INTENDED_ENDS


class Respawn:
    """The waiting times of one node."""

    def __init__(self) -> None:
        self._backoff = Backoff(first_s=FIRST_DELAY_S, longest_s=LONGEST_DELAY_S)

    def delay_after(self, lived_s: float) -> float:
        """Return how long to wait before the next start of a node that lived for so long [s]."""
        if lived_s >= SETTLED_S:
            self._backoff.reset()
        return self._backoff.next_s()
