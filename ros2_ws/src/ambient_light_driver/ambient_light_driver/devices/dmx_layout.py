# SPDX-License-Identifier: Apache-2.0
"""How a colour is laid out over the channels of DMX fixtures or the bytes of LEDs."""

from __future__ import annotations

from dataclasses import dataclass

from ambient_light_driver.color.light_color import LightColor, relative_luminance
from ambient_light_driver.devices.light_device import DeviceConfig
from fer_common.options import ConfigError, option

UNIVERSE_SIZE = 512
"""Channels of one DMX universe."""

CHANNEL_LETTERS = "RGBWDI-"


@dataclass(frozen=True, kw_only=True)
class ChannelConfig(DeviceConfig):
    """Options of every device whose lamps take one byte a channel."""

    channel_order: str = option(
        "RGB",
        "One letter a channel of one fixture: R, G, B colour, W white (taken out of the "
        "colours), D dimmer (colours are then not dimmed), I intensity of a white lamp, "
        "- a channel that stays 0.",
    )
    gamma: float = option(
        1.0,
        "Exponent of the lamp's own dimming curve, light = value ** gamma: 1 for plain "
        "pulse-width LEDs, about 2.2 for lamps that correct by themselves.",
        minimum=1.0,
        maximum=3.0,
    )

    def __post_init__(self) -> None:
        """Check the letters."""
        if not self.channel_order or set(self.channel_order) - set(CHANNEL_LETTERS):
            raise ConfigError(
                f"channel_order: expected letters of {CHANNEL_LETTERS}, got {self.channel_order!r}"
            )


@dataclass(frozen=True, kw_only=True)
class DmxConfig(ChannelConfig):
    """Options of every device that speaks DMX."""

    start_address: int = option(
        1, "DMX address of the first fixture's first channel.", minimum=1, maximum=UNIVERSE_SIZE
    )
    fixture_count: int = option(
        1, "Number of equal fixtures at adjacent addresses.", minimum=1, maximum=UNIVERSE_SIZE
    )

    def __post_init__(self) -> None:
        """Check that the fixtures fit into one universe."""
        super().__post_init__()
        last = self.start_address - 1 + self.fixture_count * len(self.channel_order)
        if last > UNIVERSE_SIZE:
            raise ConfigError(
                f"start_address: fixtures end at channel {last}, expected at most "
                f"{UNIVERSE_SIZE} (start_address - 1 + fixture_count * length of channel_order)"
            )


def fixture_channels(color: LightColor, config: ChannelConfig) -> bytes:
    """Return one byte for each letter of ``config.channel_order``."""
    brightness = color.brightness
    red, green, blue = color.linear_light()
    if "D" in config.channel_order:
        red, green, blue = LightColor(*color.rgb, 1.0).linear_light()
    white = min(red, green, blue) if "W" in config.channel_order else 0.0
    values = {
        "R": red - white,
        "G": green - white,
        "B": blue - white,
        "W": white,
        "D": brightness,
        "I": relative_luminance(color.linear_light()),
        "-": 0.0,
    }
    return bytes(
        round(255.0 * max(values[letter], 0.0) ** (1.0 / config.gamma))
        for letter in config.channel_order
    )


def dmx_universe(color: LightColor, config: DmxConfig) -> bytes:
    """Return the 512 channel values of one universe."""
    fixtures = fixture_channels(color, config) * config.fixture_count
    return (bytes(config.start_address - 1) + fixtures).ljust(UNIVERSE_SIZE, b"\0")
