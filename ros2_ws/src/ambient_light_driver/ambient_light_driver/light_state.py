# SPDX-License-Identifier: Apache-2.0
"""The state of the light sent to every lamp."""

from __future__ import annotations

from dataclasses import dataclass

from ambient_light_driver.color.light_color import OFF, LightColor


@dataclass(frozen=True, slots=True)
class LightState:
    """A colour and its label.

    :param color: the colour after the flash limiter.
    :param label: the emotion that the light follows, :data:`IDLE`, :data:`OFF_LABEL` or a text
        that begins with :data:`FIXED_LABEL`.
    """

    color: LightColor
    label: str


IDLE = "idle"
"""Label of the light while no face is seen."""

OFF_LABEL = "off"
"""Label of the light after it is switched off."""

FIXED_LABEL = "fixed"
"""Label of a colour chosen by a user; with an expression, ``fixed: sadness``.

Never the expression alone, which no face may show.
"""

SWITCHED_OFF = LightState(OFF, OFF_LABEL)
"""No light."""
