# SPDX-License-Identifier: Apache-2.0
"""Fixture modes: functions of a lamp's DMX channels or LED bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ambient_light_driver.color.light_color import LightColor, Rgb, relative_luminance
from fer_common.options import ConfigError

EMITTERS: Mapping[str, Rgb] = MappingProxyType(
    {
        "white": (1.0, 1.0, 1.0),
        "cold_white": (1.0, 1.0, 1.0),
        "warm_white": (1.0, 0.4, 0.0),
        "lime": (0.5, 1.0, 0.0),
        "amber": (1.0, 0.5, 0.0),
        "uv": (0.3, 0.0, 1.0),
    }
)
"""Emitters beside red, green and blue, each with its equivalent linear light.

They produce as much of the colour as possible, in this order, and the primaries the rest.
"""

LETTERS: Mapping[str, str] = MappingProxyType(
    {
        "R": "red",
        "G": "green",
        "B": "blue",
        "W": "white",
        "A": "amber",
        "U": "uv",
        "L": "lime",
        "D": "dimmer",
        "I": "intensity",
        "-": "off",
    }
)
"""Short form of the functions; the same letter in lower case is the fine channel."""

PRIMARIES = ("red", "green", "blue")
FUNCTIONS = (*PRIMARIES, *EMITTERS, "dimmer", "intensity")
FINE = "_fine"
FIXED = "fixed:"
MAX_CHANNELS = 512


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a fixture.

    :param function: one of :data:`FUNCTIONS`, or empty for a constant.
    :param fine: whether it holds the low byte of a 16-bit value.
    :param value: what a constant sends, 0 to 255.
    """

    function: str = ""
    fine: bool = False
    value: int = 0


@dataclass(frozen=True, slots=True)
class FixtureMode:
    """The channels of a fixture in order, one byte each."""

    channels: tuple[Channel, ...]

    @property
    def size(self) -> int:
        """Number of channels."""
        return len(self.channels)

    def levels(self, color: LightColor, gamma: float = 1.0) -> bytes:
        """Return one byte for each channel.

        :param gamma: exponent of the lamp's own dimming curve, light = value ** gamma.
        """
        functions = {channel.function for channel in self.channels}
        light = _light_of_functions(color, functions)
        wide = {channel.function for channel in self.channels if channel.fine}
        return bytes(_level(channel, light, wide, gamma) for channel in self.channels)


def _level(channel: Channel, light: Mapping[str, float], wide: set[str], gamma: float) -> int:
    if not channel.function:
        return channel.value
    drive = min(max(light[channel.function], 0.0), 1.0) ** (1.0 / gamma)
    if channel.function not in wide:
        return round(255.0 * drive)
    coarse, fine = divmod(round(65535.0 * drive), 256)
    return fine if channel.fine else coarse


def _light_of_functions(color: LightColor, functions: set[str]) -> dict[str, float]:
    """Return the light that each function emits, in [0, 1].

    Brightening a colour never darkens a channel. Without primaries, whites follow the luminance;
    a pair of warm and cold white shares it in fixed proportions of red, green and blue, because
    two whites that swap places at equal luminance would flash on a lamp whose whites differ.
    """
    brightness = color.brightness
    linear = color.linear_light()
    luminance = relative_luminance(linear)
    if "dimmer" in functions:
        linear = LightColor(*color.rgb).linear_light()
    light = {"dimmer": brightness, "intensity": luminance}
    if functions.isdisjoint(PRIMARIES):
        light |= _whites_alone(linear, {"warm_white", "cold_white"} <= functions)
    rest = linear
    for emitter, emission in EMITTERS.items():
        if emitter in functions and emitter not in light:
            amount = min(r / e for r, e in zip(rest, emission, strict=True) if e > 0.0)
            light[emitter] = amount
            red, green, blue = (
                max(0.0, r - amount * e) for r, e in zip(rest, emission, strict=True)
            )
            rest = red, green, blue
    return light | dict(zip(PRIMARIES, rest, strict=True))


def _whites_alone(linear: Rgb, tunable: bool) -> dict[str, float]:
    luminance = relative_luminance(linear)
    if not tunable:
        return dict.fromkeys(("white", "warm_white", "cold_white"), luminance)
    red, green, blue = linear
    warm_full = relative_luminance((1.0, 0.5, 0.0))
    cold_full = relative_luminance((0.0, 0.5, 1.0))
    return {
        "white": luminance,
        "warm_white": relative_luminance((red, 0.5 * green, 0.0)) / warm_full,
        "cold_white": relative_luminance((0.0, 0.5 * green, blue)) / cold_full,
    }


def parse_mode(text: str) -> FixtureMode:
    """Parse a mode: letters (``DRGBW``) or words (``dimmer,red,fixed:255``).

    :raises ConfigError: when a letter or word is unknown, or a fine channel has no coarse one.
    """
    in_words = "," in text or "_" in text or text.islower()
    words = text.split(",") if in_words and len(text) > 1 else _words(text)
    channels = tuple(_channel(word.strip(), text) for word in words)
    if not channels:
        raise ConfigError("expected at least one channel, got ''")
    coarse = {channel.function for channel in channels if not channel.fine}
    for channel in channels:
        if channel.fine and channel.function not in coarse:
            raise ConfigError(f"{channel.function}{FINE} without {channel.function} in {text!r}")
    if len(channels) > MAX_CHANNELS:
        raise ConfigError(f"expected at most {MAX_CHANNELS} channels, got {len(channels)}")
    return FixtureMode(channels)


def _words(letters: str) -> list[str]:
    words = []
    for letter in letters:
        if letter not in LETTERS and letter.upper() not in LETTERS:
            raise ConfigError(
                f"expected letters of {''.join(LETTERS)} (fine channels in lower case), or words "
                f"with commas of {', '.join(FUNCTIONS)}, fixed:VALUE, off; got {letters!r}"
            )
        fine = letter not in LETTERS
        words.append(LETTERS[letter.upper()] + FINE * fine)
    return words


def _channel(word: str, text: str) -> Channel:
    if word == "off":
        return Channel()
    if word.startswith(FIXED):
        number = word.removeprefix(FIXED)
        if not number.isdecimal() or int(number) > 255:
            raise ConfigError(f"expected fixed:0 to fixed:255, got {word!r} in {text!r}")
        return Channel(value=int(number))
    function = word.removesuffix(FINE)
    if function not in FUNCTIONS:
        raise ConfigError(
            f"expected letters of {''.join(LETTERS)}, or words with commas of "
            f"{', '.join(FUNCTIONS)}, each also with {FINE}, fixed:VALUE or off; "
            f"got {word!r} in {text!r}"
        )
    return Channel(function, fine=word != function)
