# SPDX-License-Identifier: Apache-2.0
"""The light at one time, as every lamp gets it."""

from __future__ import annotations

from dataclasses import dataclass

from ambient_light_driver.color.light_color import OFF, LightColor


@dataclass(frozen=True, slots=True)
class LightState:
    """A colour and what it stands for.

    :param color: the colour after the flash limiter.
    :param label: the emotion that the light follows, :data:`IDLE` or :data:`OFF_LABEL`.
    """

    color: LightColor
    label: str


IDLE = "idle"
"""Label of the light while no face is seen."""

OFF_LABEL = "off"
"""Label of the light after it was switched off."""

SWITCHED_OFF = LightState(OFF, OFF_LABEL)
"""No light."""
