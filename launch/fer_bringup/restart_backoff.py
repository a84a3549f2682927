# SPDX-License-Identifier: Apache-2.0
"""Back-off of restarts of failed nodes."""

from __future__ import annotations

import signal

from fer_common.backoff import Backoff
from fer_common.interruption import EXIT_INTERRUPTED

FIRST_DELAY_S = 3.0
"""First delay: a failed node is restarted after 50 to 100 % of this time [s]."""

LIGHT_FIRST_DELAY_S = 7.2
"""First delay of the light node [s].

Half of it exceeds the longest window of the flash limiter, with its default ``late_s``: a
restarted light node does not know the previous flashes, but no second on the lamp contains
flashes of both."""

LONGEST_DELAY_S = 32.0
"""Maximum delay, for a node that dies repeatedly [s]."""

SETTLED_S = 60.0
"""Uptime after which the delay is reset [s]."""

_INTENDED_EXITS = (0, 2, EXIT_INTERRUPTED, -signal.SIGINT, -signal.SIGTERM)


def is_failure(exit_code: int) -> bool:
    """Return whether a node died, excluding stops and invalid arguments.

    :param exit_code: negative for the signal that killed it.
    """
    return exit_code not in _INTENDED_EXITS


class RestartBackoff:
    """Delays between the restarts of one node.

    :param first_s: first delay [s].
    """

    def __init__(self, first_s: float = FIRST_DELAY_S) -> None:
        self._backoff = Backoff(first_s=first_s, longest_s=LONGEST_DELAY_S)

    def delay_after(self, lived_s: float) -> float:
        """Return the delay before the next restart [s].

        :param lived_s: uptime of the node [s].
        """
        if lived_s >= SETTLED_S:
            self._backoff.reset()
        return self._backoff.next_s()
