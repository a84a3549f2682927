# SPDX-License-Identifier: Apache-2.0
"""Detect and respect lamps switched off by hand."""

from __future__ import annotations

import time
from collections.abc import Callable

from ambient_light_driver.light_state import LightState

SETTLE_S = 2.0
"""Reports of darkness within this time after switching on may be stale [s]."""

REMARK = "switched off by hand: stays off until it is switched on again"


class ManualOff:
    """Track commands to a lamp and its reports.

    :param respected: whether a lamp that was switched off by hand stays off.
    :param clock: a monotonic clock [s].
    """

    def __init__(self, respected: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._respected = respected
        self._clock = clock
        self._lit_since_s: float | None = None
        self._held = False

    @property
    def is_lit(self) -> bool:
        """Whether the lamp should be lit: commanded and not switched off."""
        return self._lit_since_s is not None

    @property
    def remark(self) -> str:
        """A remark when the lamp was switched off by hand; else empty."""
        return REMARK if self._held else ""

    def holds(self, state: LightState) -> bool:
        """Return whether ``state`` must be withheld."""
        return self._held and state.color.brightness > 0.0

    def sent(self, state: LightState) -> None:
        """Record that the lamp has received ``state``."""
        if state.color.brightness <= 0.0:
            self._lit_since_s = None
        elif self._lit_since_s is None:
            self._lit_since_s = self._clock()

    def reported(self, is_on: bool, is_new: bool = True) -> None:
        """Record the lamp's reported on state.

        :param is_new: whether the report is newer than the last command, as a response is.
        """
        if is_on:
            self._held = False
            return
        lit_since_s = self._lit_since_s
        if not self._respected or lit_since_s is None:
            return
        if is_new or self._clock() - lit_since_s > SETTLE_S:
            self._held = True
            self._lit_since_s = None
