# SPDX-License-Identifier: Apache-2.0
"""A face as a behaviour sees it, and conditions on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from fer_perception.emotions import EMOTIONS
from fer_perception.face import BoundingBox


@dataclass(frozen=True)
class Face:
    """A face that is there, with its apparent expression.

    :ivar face_id: unique during one run of the perception; identifies no person.
    :ivar emotion: one of the seven labels, or "unknown".
    :ivar confidence: of the label, in [0, 1].
    :ivar scores: probability of each label in the order of ``EMOTIONS``.
    :ivar box: in pixels of the image.
    :ivar valence: in [-1, 1]; NaN where unknown.
    :ivar arousal: in [-1, 1]; NaN where unknown.
    :ivar held_s: how long ``emotion`` has lasted, short lapses included.
    :ivar seen_s: how long the face has been there.
    :ivar unseen_s: time since the last image that showed it; 0 for the newest.
    :ivar message: the ``fer_msgs/EmotionStamped`` it comes from; None without ROS.
    """

    face_id: str
    emotion: str
    confidence: float
    scores: tuple[float, ...] = ()
    box: BoundingBox = BoundingBox(0.0, 0.0, 0.0, 0.0)
    valence: float = math.nan
    arousal: float = math.nan
    held_s: float = 0.0
    seen_s: float = 0.0
    unseen_s: float = 0.0
    message: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Condition:
    """What a face has to show, and for how long.

    :param expressions: labels, any of which will do; empty for any face.
    :param held_s: at least 0, in the time of the images.
    :param min_confidence: a lower confidence does not count, in [0, 1].
    :raises ValueError: naming the value that is invalid.
    """

    expressions: tuple[str, ...] = ()
    held_s: float = 0.0
    min_confidence: float = 0.0

    def __post_init__(self) -> None:
        for expression in self.expressions:
            if expression not in EMOTIONS:
                raise ValueError(
                    f"expressions: expected any of {', '.join(EMOTIONS)}, got {expression!r}"
                )
        if not (math.isfinite(self.held_s) and self.held_s >= 0.0):
            raise ValueError(f"held_s: expected at least 0 s, got {self.held_s!r}")
        if not 0.0 <= self.min_confidence <= 1.0:
            raise ValueError(
                f"min_confidence: expected a value in [0, 1], got {self.min_confidence!r}"
            )

    def is_shown_by(self, face: Face) -> bool:
        """Return whether ``face`` shows it now, however briefly."""
        is_asked = not self.expressions or face.emotion in self.expressions
        return is_asked and face.confidence >= self.min_confidence

    def is_held_for(self, seconds: float | None) -> bool:
        """Return whether it has been shown for long enough.

        :param seconds: for which it has been shown; None while it is not.
        """
        # Stamps are doubles: a thirtieth of a second is not exact.
        return seconds is not None and seconds >= self.held_s - 1e-6

    def __str__(self) -> str:
        """Return for example 'happiness or surprise held for 1 s'."""
        text = " or ".join(self.expressions) or "a face"
        if self.min_confidence > 0.0:
            text += f" with a confidence of at least {self.min_confidence:g}"
        if self.held_s > 0.0:
            text += f" held for {self.held_s:g} s"
        return text
