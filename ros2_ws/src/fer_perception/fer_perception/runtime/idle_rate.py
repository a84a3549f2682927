# SPDX-License-Identifier: Apache-2.0
"""Choose how many images are processed while nobody is there."""

from __future__ import annotations

from typing import Final

IDLE_AFTER_S: Final = 2.0
"""Time without a known face after which nobody is there [s]."""


class IdleRate:
    """Lower the rate of a stream while nobody is there; times are of one monotonic clock.

    The first face, of any image, restores the full rate.

    :ivar idle_rate_hz: images per second while nobody is there; 0 for the full rate.
    """

    def __init__(self) -> None:
        self.idle_rate_hz = 0.0
        self._is_empty = False
        self._seen_s: float | None = None

    @property
    def is_idle(self) -> bool:
        """Return whether the rate is lowered now."""
        return self._is_empty and self.idle_rate_hz > 0.0

    def note(self, is_anyone: bool, now_s: float) -> None:
        """Note whether anyone is known after an image.

        :param is_anyone: whether a face was seen, or lost so recently that it may come back.
        """
        if is_anyone or self._seen_s is None:
            self._seen_s = now_s
        self._is_empty = now_s - self._seen_s >= IDLE_AFTER_S

    def rate_hz(self, full_rate_hz: float) -> float:
        """Return the most images per second to process now; 0 for all.

        :param full_rate_hz: the same while someone is there; 0 for all.
        """
        if not self.is_idle:
            return full_rate_hz
        return min(self.idle_rate_hz, full_rate_hz or self.idle_rate_hz)
