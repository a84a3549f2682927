# SPDX-License-Identifier: Apache-2.0
"""Colours of the seven classes on screens.

Each has a contrast of at least 3:1 with white and with a dark ground (WCAG 2.2, 1.4.11), so one
set serves both themes. The colours of a lamp are those of its palette.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .emotions import UNKNOWN

EMOTION_COLORS: Final[Mapping[str, tuple[int, int, int]]] = MappingProxyType(
    {
        "neutral": (127, 136, 150),
        "happiness": (184, 128, 16),
        "surprise": (21, 147, 140),
        "sadness": (63, 122, 214),
        "anger": (214, 75, 63),
        "disgust": (109, 143, 47),
        "fear": (144, 97, 207),
        UNKNOWN: (138, 138, 138),
    }
)
"""Label -> sRGB colour, 0 to 255; also of :data:`~.emotions.UNKNOWN`."""


def hex_color(label: str) -> str:
    """Return the colour of a label as ``#rrggbb``.

    :param label: a class or "unknown"; any other text has the colour of "unknown".
    """
    return "#" + bytes(EMOTION_COLORS.get(label, EMOTION_COLORS[UNKNOWN])).hex()
