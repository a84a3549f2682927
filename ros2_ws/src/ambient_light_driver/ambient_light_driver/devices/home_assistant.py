# SPDX-License-Identifier: Apache-2.0
"""Announce a lamp to Home Assistant by MQTT discovery."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from ambient_light_driver.devices.mqtt_schema import perceived
from ambient_light_driver.light_state import LightState

FULL_BRIGHTNESS = 255


@dataclass(frozen=True)
class Announcement:
    """One lamp in Home Assistant.

    :param prefix: Home Assistant's discovery prefix.
    :param name: the lamp's name.
    :param command_topic: of the lamp.
    :param schema: name of the lamp's schema.
    :param availability_topic: empty for none.
    """

    prefix: str
    name: str
    command_topic: str
    schema: str
    availability_topic: str

    @property
    def lamp(self) -> str:
        """The lamp's name in topics and ids."""
        return topic_word(self.command_topic)

    @property
    def state_topic(self) -> str:
        """Topic of the shown colour."""
        return f"ambient_light/{self.lamp}/state"

    @property
    def expression_topic(self) -> str:
        """Topic of the apparent expression that the light follows."""
        return f"ambient_light/{self.lamp}/expression"

    def configurations(self) -> dict[str, str]:
        """Return topic -> retained discovery message of each entity."""
        common: dict[str, object] = {
            "device": {"identifiers": [f"ambient_light_{self.lamp}"], "name": self.name},
            "origin": {"name": "ambient_light_driver"},
        }
        if self.availability_topic:
            common["availability_topic"] = self.availability_topic
        light = self._tasmota_light() if self.schema == "tasmota" else self._json_light()
        sensor = {"name": "Apparent expression", "state_topic": self.expression_topic}
        return {
            f"{self.prefix}/{component}/ambient_light_{self.lamp}/config": json.dumps(
                common | entity | {"unique_id": f"ambient_light_{self.lamp}_{component}"}
            )
            for component, entity in (("light", light), ("sensor", sensor))
        }

    def messages(self, state: LightState) -> dict[str, str]:
        """Return topic -> retained message of the current state."""
        brightness, rgb = perceived(state.color, FULL_BRIGHTNESS)
        shown: dict[str, object] = {"state": "ON" if brightness else "OFF"}
        if brightness:
            color = dict(zip("rgb", rgb, strict=True))
            shown |= {"brightness": brightness, "color_mode": "rgb", "color": color}
        return {self.state_topic: json.dumps(shown), self.expression_topic: state.label}

    def _json_light(self) -> dict[str, object]:
        return {
            "name": "Light",
            "schema": "json",
            "command_topic": self.command_topic,
            "state_topic": self.state_topic,
            "brightness": True,
            "supported_color_modes": ["rgb"],
        }

    def _tasmota_light(self) -> dict[str, object]:
        return {
            "name": "Light",
            "command_topic": f"{self.command_topic}/Power",
            "state_topic": self.state_topic,
            "state_value_template": "{{ value_json.state }}",
            "rgb_command_topic": f"{self.command_topic}/Color",
            "rgb_state_topic": self.state_topic,
            "rgb_value_template": "{{ value_json.color.values() | join(',') }}",
        }


def topic_word(topic: str) -> str:
    """Return a topic as one word of letters, digits, ``-`` and ``_``."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", topic).strip("_")
