# SPDX-License-Identifier: Apache-2.0
"""Fixtures in DMX universes over the network."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

from ambient_light_driver.devices.claims import Claim, network_resource
from ambient_light_driver.devices.dmx_layout import (
    ChannelConfig,
    DmxConfig,
    DmxFixture,
    check_fixtures,
    fixture_levels,
    parse_fixtures,
)
from ambient_light_driver.devices.light_device import LightDevice
from ambient_light_driver.devices.network import address_of
from ambient_light_driver.devices.universe_sender import (
    MAX_RATE_HZ,
    UniverseSender,
    UniverseStream,
    shared_sender,
)
from ambient_light_driver.light_state import LightState
from fer_common.options import ConfigError, option


@dataclass(frozen=True, kw_only=True)
class UniverseConfig(DmxConfig):
    """Options of devices that send universes over the network."""

    protocol: ClassVar[str]
    """Name of the protocol in claims."""

    universe_range: ClassVar[tuple[int, int]]
    """Smallest and largest universe of the protocol."""

    max_rate_hz: float = option(
        MAX_RATE_HZ,
        "Most universes sent per second; DMX lines carry at most 44.",
        minimum=0.1,
        maximum=MAX_RATE_HZ,
    )
    destination: str = option("", "Name or IP address of the receiver.")
    universe: int = option(1, "Universe of the fixtures.")
    fixtures: tuple[str, ...] = option(
        (),
        "Fixtures that differ or do not stand side by side, each as ADDRESS:MODE, "
        "UNIVERSE/ADDRESS:MODE or UNIVERSE/ADDRESS:MODE*COUNT with MODE as in channel_order, for "
        "example ['1/1:RGBW*20', '2/1:dimmer,red,green,blue']. Replaces start_address, "
        "fixture_count and channel_order.",
    )
    bind_address: str = option(
        "", "IP address of the network interface to send from; empty lets the system choose."
    )

    def __post_init__(self) -> None:
        """Check that the fixtures fit into their universes and do not overlap."""
        ChannelConfig.__post_init__(self)
        key = "fixtures" if self.fixtures else "start_address"
        low, high = self.universe_range
        for universe, fixtures in self.universes().items():
            if not low <= universe <= high:
                raise ConfigError(f"{key}: expected universes {low} to {high}, got {universe}")
            try:
                check_fixtures(fixtures, key)
            except ConfigError as error:
                raise ConfigError(f"{error} (universe {universe})") from error

    def universes(self) -> dict[int, tuple[DmxFixture, ...]]:
        """Return the fixtures in each universe."""
        if not self.fixtures:
            return {self.universe: self.placed_fixtures}
        found: dict[int, tuple[DmxFixture, ...]] = {}
        for word in self.fixtures:
            match = re.fullmatch(r"(?:(\d{1,5})/)?(.*)", word.strip())
            assert match is not None  # the second group matches any text
            universe = int(match[1]) if match[1] else self.universe
            found[universe] = found.get(universe, ()) + parse_fixtures(match[2])
        return found

    def resource(self, universe: int) -> str:
        """Return the claimed resource of a universe."""
        return network_resource(self.protocol, self.destination or "multicast", universe)

    def claims(self) -> tuple[Claim, ...]:
        """Return the channels of all fixtures, adjacent ones as one range."""
        claims: list[Claim] = []
        for universe, fixtures in self.universes().items():
            resource = self.resource(universe)
            for fixture in sorted(fixtures, key=lambda f: f.address):
                first = fixture.address
                if claims and (claims[-1].resource, claims[-1].last) == (resource, first - 1):
                    first = claims.pop().first
                claims.append(Claim(resource, first, fixture.last_address, whole_frames=True))
        return tuple(claims)


UniverseConfigT = TypeVar("UniverseConfigT", bound=UniverseConfig)


class UniverseDevice(LightDevice[UniverseConfigT]):
    """Show the colour on all fixtures, in one or more universes."""

    def __init__(self, name: str, config: UniverseConfigT) -> None:
        super().__init__(name, config)
        self._universes = config.universes()
        self._joined: dict[int, UniverseSender] = {}

    @abstractmethod
    def stream(self, universe: int, config: UniverseConfigT) -> UniverseStream:
        """Return the stream of a universe."""

    def open(self) -> None:
        """Start sending; receivers do not confirm.

        :raises Exception: when packets cannot be sent, or another device drives these channels.
        """
        config = self.config
        if config.destination:  # devices with two names of one receiver share its senders
            config = replace(config, destination=address_of(config.destination))
        for universe, fixtures in self._universes.items():
            sender = shared_sender(config.resource(universe))
            channels = {fixture.address: fixture.last_address for fixture in fixtures}
            sender.join(self.name, self.stream(universe, config), channels)
            self._joined[universe] = sender

    def send(self, state: LightState) -> None:
        """Show the colour on all fixtures, with one packet for each universe.

        :raises Exception: when it cannot be sent.
        """
        for universe, fixtures in self._universes.items():
            if universe not in self._joined:
                raise ConnectionError("not open")
            levels = fixture_levels(state.color, fixtures, self.config.gamma)
            self._joined[universe].send(self.name, levels)

    def close(self) -> None:
        """Stop sending; the receiver decides what the fixtures show then."""
        for sender in self._joined.values():
            sender.leave(self.name)
        self._joined.clear()
