# SPDX-License-Identifier: Apache-2.0
"""Relay the colour to robots' lights in the robots' own messages."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, ClassVar

from builtin_interfaces.msg import Time
from std_msgs.msg import ColorRGBA

from ambient_light_driver.color.light_color import LightColor, Rgb
from fer_common.options import ConfigError, option

KOBUKI_HOLD_S = 0.5
"""Minimum time between two colours of a lamp with three colours only [s].

Such a lamp converts even the slowest fade to a jump, which the flash limiter cannot detect."""


class ColorRelay(ABC):
    """Convert a colour into one message type.

    :param config: the relay's options.
    :raises ConfigError: when the message package is not installed.
    """

    message_name: ClassVar[str]
    """Package and type of the message."""

    topic: ClassVar[str]
    """Relative topic of the robot."""

    def __init__(self, config: RelayConfig) -> None:
        self.config = config
        self.message_type: Any = _message_class(self.message_name)

    @abstractmethod
    def message(self, color: LightColor, stamp: Time, now_s: float, last: bool) -> Any:
        """Return the message that shows ``color``.

        :param now_s: the time by a monotonic clock [s].
        :param last: whether this is the final message, which releases the robot's light.
        """

    def _drive(self, color: LightColor) -> Rgb:
        """Return the values for red, green and blue in [0, 1]."""
        red, green, blue = (v ** (1.0 / self.config.gamma) for v in color.linear_light())
        return red, green, blue

    def _drive_bytes(self, color: LightColor) -> dict[str, int]:
        names = ("red", "green", "blue")
        return {n: round(255.0 * v) for n, v in zip(names, self._drive(color), strict=True)}

    def _drive_rgba(self, color: LightColor) -> ColorRGBA:
        red, green, blue = self._drive(color)
        return ColorRGBA(r=red, g=green, b=blue, a=1.0)


class ColorTopic(ColorRelay):
    """A robot's LED node with ``std_msgs/ColorRGBA``.

    Linear light with the brightness multiplied in; alpha is 1.
    """

    message_name = "std_msgs/ColorRGBA"
    topic = "led_color"

    def message(self, color: LightColor, stamp: Time, now_s: float, last: bool) -> Any:
        """Return the colour."""
        return self._drive_rgba(color)


class IrobotLightring(ColorRelay):
    """Light ring of the iRobot Create 3, also under a TurtleBot 4."""

    message_name = "irobot_create_msgs/LightringLeds"
    topic = "cmd_lightring"
    LED_COUNT = 6

    def __init__(self, config: RelayConfig) -> None:
        super().__init__(config)
        self._led_type = _message_class("irobot_create_msgs/LedColor")

    def message(self, color: LightColor, stamp: Time, now_s: float, last: bool) -> Any:
        """Return the same colour for all LEDs, overriding the robot's patterns."""
        message = self.message_type()
        message.header.stamp = stamp
        message.override_system = not last
        message.leds = [self._led_type(**self._drive_bytes(color))] * self.LED_COUNT
        return message


class ClearpathLights(ColorRelay):
    """Body lights of Clearpath's Dingo, Ridgeback and Warthog."""

    message_name = "clearpath_platform_msgs/Lights"
    topic = "platform/cmd_lights"

    def __init__(self, config: RelayConfig) -> None:
        super().__init__(config)
        self._light_type = _message_class("clearpath_platform_msgs/RGB")

    def message(self, color: LightColor, stamp: Time, now_s: float, last: bool) -> Any:
        """Return the same colour for all lights."""
        light = self._light_type(**self._drive_bytes(color))
        return self.message_type(lights=[light] * self.config.led_count)


class KobukiLed(ColorRelay):
    """An LED of the Kobuki: dark, green, orange or red."""

    message_name = "kobuki_ros_interfaces/Led"
    topic = "commands/led1"
    _DARK_BELOW = 0.05
    _PURE_FROM = 3.0

    def __init__(self, config: RelayConfig) -> None:
        super().__init__(config)
        self._shown: int = self.message_type.BLACK
        self._changed_s = -math.inf

    def message(self, color: LightColor, stamp: Time, now_s: float, last: bool) -> Any:
        """Return the nearest colour, constant for at least :data:`KOBUKI_HOLD_S`."""
        nearest = self.message_type.BLACK if last else self._nearest(color.linear_light())
        if nearest != self._shown and (last or now_s - self._changed_s >= KOBUKI_HOLD_S):
            self._shown, self._changed_s = nearest, now_s
        return self.message_type(value=self._shown)

    def _nearest(self, linear: Rgb) -> int:
        red, green, _ = linear
        if max(red, green) < self._DARK_BELOW:
            value = self.message_type.BLACK
        elif red > self._PURE_FROM * green:
            value = self.message_type.RED
        elif green > self._PURE_FROM * red:
            value = self.message_type.GREEN
        else:
            value = self.message_type.ORANGE
        return int(value)


class _NaoLed(ColorRelay):
    def message(self, color: LightColor, stamp: Time, now_s: float, last: bool) -> Any:
        """Return the colour of the one LED."""
        return self.message_type(color=self._drive_rgba(color))


class NaoChestLed(_NaoLed):
    """LED in the chest of the NAO, through nao_lola."""

    message_name = "nao_lola_command_msgs/ChestLed"
    topic = "effectors/chest_led"


class NaoLeftFootLed(_NaoLed):
    """LED in the left foot of the NAO."""

    message_name = "nao_lola_command_msgs/LeftFootLed"
    topic = "effectors/left_foot_led"


class NaoRightFootLed(_NaoLed):
    """LED in the right foot of the NAO."""

    message_name = "nao_lola_command_msgs/RightFootLed"
    topic = "effectors/right_foot_led"


class NaoLeftEyeLeds(ColorRelay):
    """LEDs around the left eye of the NAO."""

    message_name = "nao_lola_command_msgs/LeftEyeLeds"
    topic = "effectors/left_eye_leds"

    def message(self, color: LightColor, stamp: Time, now_s: float, last: bool) -> Any:
        """Return the same colour for all LEDs."""
        return self.message_type(colors=[self._drive_rgba(color)] * self.message_type.NUM_LEDS)


class NaoRightEyeLeds(NaoLeftEyeLeds):
    """LEDs around the right eye of the NAO."""

    message_name = "nao_lola_command_msgs/RightEyeLeds"
    topic = "effectors/right_eye_leds"


RELAYS: Mapping[str, type[ColorRelay]] = MappingProxyType(
    {
        "color_topic": ColorTopic,
        "irobot_lightring": IrobotLightring,
        "clearpath_lights": ClearpathLights,
        "kobuki_led": KobukiLed,
        "nao_chest_led": NaoChestLed,
        "nao_left_eye": NaoLeftEyeLeds,
        "nao_right_eye": NaoRightEyeLeds,
        "nao_left_foot_led": NaoLeftFootLed,
        "nao_right_foot_led": NaoRightFootLed,
    }
)
"""Name -> relay."""


@dataclass(frozen=True, kw_only=True)
class RelayConfig:
    """Options of a relay."""

    type: str = option(
        "color_topic",
        "Kind of light; each has its message type.",
        choices=tuple(RELAYS),
    )
    topic: str = option("", "Topic to publish on; empty takes the robot's usual one.")
    led_count: int = option(
        4, "Number of lights, for clearpath_lights: 4, or 8 on a Ridgeback.", minimum=1, maximum=64
    )
    gamma: float = option(
        1.0,
        "Exponent of the light's own dimming curve, light = value ** gamma.",
        minimum=1.0,
        maximum=4.0,
    )


def make_relay(config: RelayConfig) -> ColorRelay:
    """Create the relay of ``config``.

    :raises ConfigError: when its messages are not installed.
    """
    return RELAYS[config.type](config)


def _message_class(message_name: str) -> Any:
    package, name = message_name.split("/")
    try:
        return getattr(import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"message {message_name} is missing ({error}): "
            f"sudo apt install ros-$ROS_DISTRO-{package.replace('_', '-')}"
        ) from error
