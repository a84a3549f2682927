# SPDX-License-Identifier: Apache-2.0
"""Map our classes to names of ``hri_msgs/Expression`` (REP-155)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fer_perception.emotions import EMOTIONS

HRI_EXPRESSIONS: Final = (
    "neutral",
    "angry",
    "sad",
    "happy",
    "surprised",
    "disgusted",
    "scared",
    "pleading",
    "vulnerable",
    "despaired",
    "guilty",
    "disappointed",
    "embarrassed",
    "horrified",
    "skeptical",
    "annoyed",
    "furious",
    "suspicious",
    "rejected",
    "bored",
    "tired",
    "asleep",
    "confused",
    "amazed",
    "excited",
)
"""All names of ``hri_msgs/Expression``; contempt is missing there."""

DEFAULT_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "neutral": "neutral",
        "happiness": "happy",
        "surprise": "surprised",
        "sadness": "sad",
        "anger": "angry",
        "disgust": "disgusted",
        "fear": "scared",
    }
)
"""Default name for each of our classes."""

assert tuple(DEFAULT_NAMES) == EMOTIONS
