# SPDX-License-Identifier: Apache-2.0
"""Light that a user chooses: none, a colour, or an expression."""

from __future__ import annotations

import re

from ambient_light_driver.color.light_color import OFF, LightColor
from ambient_light_driver.color.palette import Palette, emotion_names
from ambient_light_driver.light_state import FIXED_LABEL, IDLE, OFF_LABEL
from fer_common.options import ConfigError

FACES = "faces"
DARK = "dark"
COLOR = "color"

SHOWN = (FACES, DARK, COLOR, IDLE, *emotion_names())
"""What a light can show; not "off", which YAML, and so 'ros2 param', reads as a boolean."""

# Not #rrggbb: in YAML, and so in 'ros2 param', '#' starts a comment.
_RGB = re.compile(r"rgb ([0-9]{1,3}) ([0-9]{1,3}) ([0-9]{1,3})")


def parse_fixed_color(text: str) -> LightColor:
    """Return the colour of a text such as ``rgb 255 128 0``.

    :raises ConfigError: when it has another form or a number above 255.
    """
    match = _RGB.fullmatch(text)
    values = [int(number) for number in match.groups()] if match else []
    if not values or max(values) > 255:
        raise ConfigError(
            f"fixed_color: expected 'rgb' and three numbers from 0 to 255, got {text!r:.80}"
        )
    red, green, blue = (value / 255 for value in values)
    return LightColor(red, green, blue)


def fixed_light(show: str, fixed_color: str, palette: Palette) -> tuple[LightColor, str] | None:
    """Return the chosen (colour, label); None where the light follows the faces.

    :param show: one of :data:`SHOWN`.
    :param fixed_color: as for :func:`parse_fixed_color`.
    """
    if show == FACES:
        return None
    if show == DARK:
        return OFF, OFF_LABEL
    if show == IDLE:
        return palette.idle, IDLE
    if show == COLOR:
        return parse_fixed_color(fixed_color), FIXED_LABEL
    return palette.emotions[show], f"{FIXED_LABEL}: {show}"
