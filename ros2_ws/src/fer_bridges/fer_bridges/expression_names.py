# SPDX-License-Identifier: Apache-2.0
"""Our classes in the words of ``hri_msgs/Expression`` (REP-155)."""

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
"""Every word that ``hri_msgs/Expression`` knows; contempt is not among them."""

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
"""The word for each of our classes, where a parameter does not say otherwise."""

assert tuple(DEFAULT_NAMES) == EMOTIONS
