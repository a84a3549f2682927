# SPDX-License-Identifier: Apache-2.0
"""Relays of the colour to the lights that robots have on board, in their own messages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, ClassVar

from builtin_interfaces.msg import Time

from ambient_light_driver.color.light_color import LightColor
from fer_common.options import ConfigError


class ColorRelay(ABC):
    """Converts a colour into the message of one kind of robot.

    :raises ConfigError: when the robot's message package is not installed.
    """

    topic: ClassVar[str]
    """Where the robot listens, relative; can be remapped."""

    def __init__(self) -> None:
        self.message_type: type = self._import_message_type()

    @abstractmethod
    def message(self, color: LightColor, stamp: Time) -> Any:
        """Return the message that shows ``color``; black gives the light back to the robot."""

    @abstractmethod
    def _import_message_type(self) -> type:
        """Import the robot's messages."""


class IrobotLightring(ColorRelay):
    """Light ring of the iRobot Create 3, also under a TurtleBot 4."""

    topic = "cmd_lightring"
    LED_COUNT = 6

    def message(self, color: LightColor, stamp: Time) -> Any:
        """Return the same colour for all six LEDs."""
        message = self.message_type()
        message.header.stamp = stamp
        message.override_system = color.brightness > 0.0
        red, green, blue = (round(255.0 * value) for value in color.linear_light())
        led = self._led_type(red=red, green=green, blue=blue)
        message.leds = [led] * self.LED_COUNT
        return message

    def _import_message_type(self) -> type:
        messages = _import_messages("irobot_create_msgs.msg", "irobot_create_msgs")
        self._led_type: type = messages.LedColor
        lightring: type = messages.LightringLeds
        return lightring


RELAYS: Mapping[str, type[ColorRelay]] = MappingProxyType({"irobot_lightring": IrobotLightring})
"""Name -> relay."""


def make_relay(name: str) -> ColorRelay:
    """Return the relay called ``name``.

    :raises ConfigError: when there is none or its messages are not installed.
    """
    if name not in RELAYS:
        raise ConfigError(f"unknown relay {name!r}, expected one of {', '.join(RELAYS)}")
    return RELAYS[name]()


def _import_messages(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"messages of {package} are missing ({error}): "
            f"sudo apt install ros-$ROS_DISTRO-{package.replace('_', '-')}"
        ) from error
