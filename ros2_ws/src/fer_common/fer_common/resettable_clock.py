# SPDX-License-Identifier: Apache-2.0
"""The time of a stream of frames, which goes forwards until somebody sets it back."""

from __future__ import annotations

import math
from typing import Final

MAX_OVERTAKING_S: Final = 1.0
"""Frames may overtake each other on the way; a larger step back means that time was set back, as
by a bag that starts anew."""


class StreamTime:
    """Tells frames that come late from a time that was set back."""

    def __init__(self) -> None:
        self._last_s = -math.inf

    def advance(self, stamp_s: float) -> tuple[float, bool]:
        """Return (time of the frame, whether time was set back); all in seconds of any clock.

        A stamp a little before the last one counts as the last one.
        """
        is_set_back = stamp_s < self._last_s - MAX_OVERTAKING_S
        self._last_s = stamp_s if is_set_back else max(stamp_s, self._last_s)
        return self._last_s, is_set_back
