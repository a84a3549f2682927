# SPDX-License-Identifier: Apache-2.0
"""MQTT commands of lamps, by firmware.

Colours are normalised, since Zigbee lamps use hue and saturation only. Numbers, including the
brightness, are sRGB-encoded: the steps of these lamps are perceptually uniform.
All lamps jump to the colour: their own fades could pass through other colours.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ambient_light_driver.color.light_color import LightColor


@dataclass(frozen=True, slots=True)
class Command:
    """A message to a lamp.

    :param suffix: appended to the lamp's command topic.
    """

    payload: str
    suffix: str = ""


class LampSchema(ABC):
    """Commands and reports of a firmware."""

    @abstractmethod
    def takeover(self, effect: str) -> list[Command]:
        """Return the commands that end the lamp's effects and fades.

        :param effect: configured name of the effect 'none'; may be empty.
        """

    @abstractmethod
    def show(self, color: LightColor) -> Command:
        """Return the command that shows ``color`` at once."""

    def state_topic(self, command_topic: str) -> str:
        """Return the topic of the lamp's state; empty if unknown."""
        return ""

    def question(self, command_topic: str) -> tuple[str, str] | None:
        """Return topic and message that make the lamp report; None if unknown."""
        return None

    def reported_on(self, payload: bytes) -> bool | None:
        """Return the on state of a report, or None if missing."""
        report = _parsed(payload)
        word = report.get("state", report.get("POWER", report.get("POWER1")))
        return {"ON": True, "OFF": False}.get(str(word).upper())


@dataclass(frozen=True)
class JsonSchema(LampSchema):
    """Home Assistant's JSON schema and its dialects.

    :param full_brightness: number for full brightness.
    :param no_effect: name of the effect 'none'; empty when the firmware has none.
    :param command_suffix: end of the command topics of this firmware.
    :param state_suffix: its replacement in state topics.
    :param question_suffix: its replacement in topics that request the state; empty when the
        firmware retains its state.
    """

    full_brightness: int
    no_effect: str = ""
    command_suffix: str = ""
    state_suffix: str = ""
    question_suffix: str = ""

    def takeover(self, effect: str) -> list[Command]:
        """Return the command that ends a running effect."""
        # Separate: ESPHome ignores the transition of a command with an effect.
        name = effect or self.no_effect
        return [Command(json.dumps({"effect": name}))] if name else []

    def show(self, color: LightColor) -> Command:
        """Return the command that shows ``color`` at once."""
        brightness, rgb = perceived(color, self.full_brightness)
        # ESPHome accepts integers only; with other numbers it fades for a second.
        if brightness == 0:
            return Command(json.dumps({"state": "OFF", "transition": 0}))
        shown = dict(zip("rgb", rgb, strict=True))
        return Command(
            json.dumps({"state": "ON", "brightness": brightness, "color": shown, "transition": 0})
        )

    def state_topic(self, command_topic: str) -> str:
        """Return the topic beside the command topic."""
        if not self.command_suffix or not command_topic.endswith(self.command_suffix):
            return ""
        return command_topic.removesuffix(self.command_suffix) + self.state_suffix

    def question(self, command_topic: str) -> tuple[str, str] | None:
        """Return topic and message that make the lamp report; None if unknown."""
        if not self.question_suffix or not command_topic.endswith(self.command_suffix):
            return None
        topic = command_topic.removesuffix(self.command_suffix) + self.question_suffix
        return topic, json.dumps({"state": ""})


class TasmotaSchema(LampSchema):
    """Tasmota's commands below ``cmnd/NAME``."""

    def takeover(self, effect: str) -> list[Command]:
        """Return the command that ends fades; a colour ends schemes."""
        # Not 'Scheme 0', which would light a dark lamp in its last colour.
        return [Command("0", "/Fade")]

    def show(self, color: LightColor) -> Command:
        """Return the command that shows ``color``, also on a dark lamp."""
        rgb = [round(255.0 * value) for value in color.displayed_rgb()]
        if not any(rgb):
            return Command("OFF", "/Power")
        return Command("".join(f"{value:02X}" for value in rgb), "/Color")

    def state_topic(self, command_topic: str) -> str:
        """Return the topic of responses and manual changes."""
        name = command_topic.removeprefix("cmnd/")
        return "" if name == command_topic else f"stat/{name}/RESULT"

    def question(self, command_topic: str) -> tuple[str, str]:
        """Return topic and message that make the lamp report."""
        return f"{command_topic}/Power", ""


SCHEMAS: Mapping[str, LampSchema] = MappingProxyType(
    {
        "home_assistant": JsonSchema(255),
        "zigbee2mqtt": JsonSchema(254, command_suffix="/set", question_suffix="/get"),
        "esphome": JsonSchema(
            255, no_effect="None", command_suffix="/command", state_suffix="/state"
        ),
        "tasmota": TasmotaSchema(),
    }
)
"""Name -> schema."""


def perceived(color: LightColor, full: int) -> tuple[int, tuple[int, int, int]]:
    """Return perceived brightness and the normalised colour.

    :param full: number for full brightness.
    :returns: brightness in [0, full]; red, green, blue in [0, 255].
    """
    red, green, blue = (round(255.0 * value) for value in color.normalized().rgb)
    return round(full * max(color.displayed_rgb())), (red, green, blue)


def _parsed(payload: bytes) -> dict[str, object]:
    try:
        report = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return report if isinstance(report, dict) else {}
