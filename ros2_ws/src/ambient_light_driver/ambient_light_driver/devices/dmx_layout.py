# SPDX-License-Identifier: Apache-2.0
"""Layout of a colour over DMX channels or LED bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.fixture_file import load_fixture_mode
from ambient_light_driver.devices.fixture_mode import FixtureMode, parse_mode
from ambient_light_driver.devices.light_device import DeviceConfig
from fer_common.options import ConfigError, option

UNIVERSE_SIZE = 512
"""Channels of one DMX universe."""


@dataclass(frozen=True, kw_only=True)
class ChannelConfig(DeviceConfig):
    """Options of devices with one byte per channel."""

    channel_order: str = option(
        "RGB",
        "Channels of one fixture. Letters: R, G, B colour, W white, A amber, L lime, U "
        "ultraviolet (taken out of the colours), D dimmer (colours are then not dimmed), I "
        "intensity of a white lamp, - a channel that stays 0; in lower case the fine channel. Or "
        "words: "
        "dimmer,red,red_fine,warm_white,cold_white,fixed:255. Or FILE.json#MODE of the Open "
        "Fixture Library.",
    )
    gamma: float = option(
        1.0,
        "Exponent of the lamp's own dimming curve, light = value ** gamma: 1 for plain "
        "pulse-width LEDs, about 2.2 for lamps that correct by themselves.",
        minimum=1.0,
        maximum=3.0,
    )

    def __post_init__(self) -> None:
        """Check the channels."""
        fixture_mode(self.channel_order, "channel_order")

    @property
    def mode(self) -> FixtureMode:
        """The channels of one fixture."""
        return fixture_mode(self.channel_order, "channel_order")


@dataclass(frozen=True, slots=True)
class DmxFixture:
    """A fixture in a universe.

    :param address: DMX address of its first channel, 1 to 512.
    :param mode: its channels.
    """

    address: int
    mode: FixtureMode

    @property
    def last_address(self) -> int:
        """DMX address of its last channel."""
        return self.address + self.mode.size - 1


@dataclass(frozen=True, kw_only=True)
class DmxConfig(ChannelConfig):
    """Options of DMX devices."""

    start_address: int = option(
        1, "DMX address of the first fixture's first channel.", minimum=1, maximum=UNIVERSE_SIZE
    )
    fixture_count: int = option(
        1, "Number of equal fixtures at adjacent addresses.", minimum=1, maximum=UNIVERSE_SIZE
    )
    fixtures: tuple[str, ...] = option(
        (),
        "Fixtures that differ or do not stand side by side, each as ADDRESS:MODE or "
        "ADDRESS:MODE*COUNT with MODE as in channel_order, for example ['1:RGBW', "
        "'9:dimmer,red,green,blue']. Replaces start_address, fixture_count and channel_order.",
    )

    def __post_init__(self) -> None:
        """Check that the fixtures fit into one universe and do not overlap."""
        super().__post_init__()
        key = "fixtures" if self.fixtures else "start_address"
        check_fixtures(self.placed_fixtures, key)

    @property
    def placed_fixtures(self) -> tuple[DmxFixture, ...]:
        """All fixtures of this device."""
        if self.fixtures:
            return tuple(f for word in self.fixtures for f in parse_fixtures(word))
        mode = self.mode
        return tuple(
            DmxFixture(self.start_address + i * mode.size, mode) for i in range(self.fixture_count)
        )


@lru_cache(maxsize=64)
def fixture_mode(text: str, key: str) -> FixtureMode:
    """Parse a mode: letters, words, or a fixture file.

    :param key: the option of origin, for the error.
    :raises ConfigError: when it is invalid.
    """
    try:
        path, _, mode_name = text.partition("#")
        if path.endswith(".json"):
            return load_fixture_mode(path, mode_name)
        return parse_mode(text)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from error


def fixture_channels(color: LightColor, config: ChannelConfig) -> bytes:
    """Return one byte per channel of a fixture."""
    return config.mode.levels(color, config.gamma)


def write_fixtures(universe: bytearray, color: LightColor, config: DmxConfig) -> None:
    """Write ``color`` into the channels of this device's fixtures only.

    :param universe: 512 channel values.
    """
    for address, levels in fixture_levels(color, config.placed_fixtures, config.gamma).items():
        universe[address - 1 : address - 1 + len(levels)] = levels


def dmx_universe(color: LightColor, config: DmxConfig) -> bytes:
    """Return the 512 channel values of a universe of this device alone."""
    universe = bytearray(UNIVERSE_SIZE)
    write_fixtures(universe, color, config)
    return bytes(universe)


def parse_fixtures(word: str) -> tuple[DmxFixture, ...]:
    """Parse fixtures from ``ADDRESS:MODE`` or ``ADDRESS:MODE*COUNT``.

    :raises ConfigError: when it has another form, or the mode is unknown.
    """
    match = re.fullmatch(r"(\d{1,3}):(.+?)(?:\*(\d{1,3}))?", word.strip())
    if match is None or not 1 <= int(match[1]) <= UNIVERSE_SIZE:
        raise ConfigError(
            f"fixtures: expected ADDRESS:MODE with an address of 1 to {UNIVERSE_SIZE}, got "
            f"{word!r}; for several side by side ADDRESS:MODE*COUNT"
        )
    first, count = int(match[1]), int(match[3] or 1)
    mode = fixture_mode(match[2], "fixtures")
    return tuple(DmxFixture(first + i * mode.size, mode) for i in range(count))


def check_fixtures(fixtures: Iterable[DmxFixture], key: str) -> None:
    """Check that fixtures fit into one universe and do not overlap.

    :param key: the option of origin, for the error.
    :raises ConfigError: when they do not fit or overlap.
    """
    previous: DmxFixture | None = None
    for fixture in sorted(fixtures, key=lambda f: f.address):
        if fixture.last_address > UNIVERSE_SIZE:
            raise ConfigError(
                f"{key}: fixtures end at channel {fixture.last_address}, expected at most "
                f"{UNIVERSE_SIZE}"
            )
        if previous is not None and fixture.address <= previous.last_address:
            raise ConfigError(
                f"{key}: the fixture at {fixture.address} overlaps the one at "
                f"{previous.address}, which ends at {previous.last_address}"
            )
        previous = fixture


def fixture_levels(
    color: LightColor, fixtures: Sequence[DmxFixture], gamma: float
) -> dict[int, bytes]:
    """Return DMX address -> channel values of each fixture."""
    levels: dict[FixtureMode, bytes] = {}
    for fixture in fixtures:
        if fixture.mode not in levels:
            levels[fixture.mode] = fixture.mode.levels(color, gamma)
    return {fixture.address: levels[fixture.mode] for fixture in fixtures}
