# SPDX-License-Identifier: Apache-2.0
"""When to restart a node that has died."""

from __future__ import annotations

import signal

from fer_common.backoff import Backoff

FIRST_DELAY_S = 3.0
"""A node that died is restarted after half of this time to all of it [s].

Half of it is longer than the window in which the light counts flashes: a restarted light node
does not know the flashes of the one before, but no second holds flashes of both."""

LONGEST_DELAY_S = 32.0
"""Limit for a node that dies again and again [s]."""

SETTLED_S = 60.0
"""A node that lived for this long starts again at the first delay when it dies [s]."""

_INTENDED_EXITS = (0, 2, -signal.SIGINT, -signal.SIGTERM)


def is_failure(exit_code: int) -> bool:
    """Return whether a node died, rather than was stopped or started wrongly (code 2).

    :param exit_code: negative for the signal that killed it.
    """
    return exit_code not in _INTENDED_EXITS


class RestartBackoff:
    """Delays between the restarts of one node."""

    def __init__(self) -> None:
        self._backoff = Backoff(first_s=FIRST_DELAY_S, longest_s=LONGEST_DELAY_S)

    def delay_after(self, lived_s: float) -> float:
        """Return how long to wait before the next restart [s].

        :param lived_s: how long the node lived [s].
        """
        if lived_s >= SETTLED_S:
            self._backoff.reset()
        return self._backoff.next_s()
