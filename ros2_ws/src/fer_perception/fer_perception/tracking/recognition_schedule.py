# SPDX-License-Identifier: Apache-2.0
"""Choose which faces of a frame are recognised, at a limited rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

# Frames may be slightly early; half a frame of 30 Hz must not cost a whole one.
_TOLERANCE_S: Final = 0.01


class RecognitionSchedule:
    """Recognise each face at a given rate, spread over the frames."""

    def __init__(self) -> None:
        self._last_s: dict[str, float] = {}
        self._frame_s = -math.inf

    def due(self, face_ids: Sequence[str], stamp_s: float, rate_hz: float) -> list[int]:
        """Return the indices of faces to recognise at ``stamp_s``.

        New faces are always included.

        :param rate_hz: maximum recognitions per second of each face; 0 for every frame.
        """
        frame_s, self._frame_s = stamp_s - self._frame_s, stamp_s
        last_s = {key: at for key, at in self._last_s.items() if key in face_ids}
        if rate_hz <= 0.0 or frame_s < 0.0:
            chosen = list(range(len(face_ids)))
        else:
            chosen = [i for i, key in enumerate(face_ids) if key not in last_s]
            waiting = [
                i
                for i, key in enumerate(face_ids)
                if key in last_s and stamp_s - last_s[key] >= 1.0 / rate_hz - _TOLERANCE_S
            ]
            waiting.sort(key=lambda i: last_s[face_ids[i]])
            share = min(1.0, frame_s * rate_hz)
            chosen += waiting[: math.ceil(len(face_ids) * share - 1e-6)]
        self._last_s = last_s | {face_ids[i]: stamp_s for i in chosen}
        return sorted(chosen)
