# SPDX-License-Identifier: Apache-2.0
"""LIFX lamps over their LAN protocol."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from ambient_light_driver.devices.claims import LAST_CHANNEL, Claim, network_resource
from ambient_light_driver.devices.light_device import (
    DeviceConfig,
    DeviceUnavailableError,
    LightDevice,
)
from ambient_light_driver.devices.manual_off import ManualOff
from ambient_light_driver.devices.network import ANSWER_TIMEOUT_S, resolve
from ambient_light_driver.devices.optional_library import load_library
from ambient_light_driver.light_state import LightState
from fer_common.options import ConfigError, option

WHITE_KELVIN = 6500
"""White point of sRGB; the lamp uses it for the unsaturated part of a colour."""

DISCOVERY_S = 1.0
"""Timeout of a search for lamps [s]."""

POLL_S = 1.0
"""Interval of checks whether the lamp is switched on [s]."""

_TARGETS = ("host", "serial", "label", "group")


@dataclass(frozen=True, kw_only=True)
class LifxConfig(DeviceConfig):
    """Options of :class:`LifxDevice`."""

    max_rate_hz: float = option(
        20.0, "Most colours per second; the maker advises at most 20.", minimum=0.1, maximum=20.0
    )
    host: str = option("", "Name or IP address of the lamp; or give one of the next three.")
    serial: str = option("", "Serial number of the lamp, 12 hexadecimal digits.")
    label: str = option("", "Name of the lamp, as the app shows it.")
    group: str = option("", "Name of a group, all lamps of which show the same.")
    broadcast_address: str = option(
        "255.255.255.255", "Where lamps are searched: the network's broadcast address."
    )
    udp_port: int = option(56700, "UDP port of the lamp.", minimum=1, maximum=65535)
    first_zone: int = option(
        -1, "First zone of a strip or beam to light; -1 for all.", minimum=-1, maximum=255
    )
    last_zone: int = option(
        -1, "Last zone to light, with first_zone; -1 for that one only.", minimum=-1, maximum=255
    )
    respect_manual_off: bool = option(
        False, "Leave a lamp off that a person has switched off, until it is switched on again."
    )

    def __post_init__(self) -> None:
        """Check the lamp's name and the zones."""
        given = [key for key in _TARGETS if getattr(self, key)]
        if len(given) != 1:
            raise ConfigError(
                f"host: expected the lamp's name or IP address, or one of {', '.join(_TARGETS)}, "
                f"got {' and '.join(given) or 'none'}"
            )
        if self.last_zone >= 0 and not 0 <= self.first_zone <= self.last_zone:
            raise ConfigError(
                f"first_zone: expected a zone from 0 to last_zone {self.last_zone}, got "
                f"{self.first_zone}"
            )

    @property
    def zones(self) -> tuple[int, int] | None:
        """First and last zone; None for the whole lamp."""
        if self.first_zone < 0:
            return None
        return self.first_zone, max(self.first_zone, self.last_zone)

    def claims(self) -> tuple[Claim, ...]:
        """Return the lamp or its zones by the configured name."""
        key = next(key for key in _TARGETS if getattr(self, key))
        value = getattr(self, key).casefold()
        place = (value,) if key == "host" else (key, value)
        resource = network_resource("lifx", *place, self.udp_port)
        return (Claim(resource) if self.zones is None else Claim(resource, *self.zones),)


class LifxDevice(LightDevice[LifxConfig]):
    """Set the colour of lamps and wait for their acknowledgement."""

    config_type = LifxConfig

    def __init__(self, name: str, config: LifxConfig) -> None:
        super().__init__(name, config)
        self._lifx: Any = None
        self._lamps: list[Any] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._manual_off = ManualOff(config.respect_manual_off)
        self._is_powered = False
        self._polled_s = 0.0

    @property
    def remark(self) -> str:
        """Whether the lamp was switched off by hand."""
        return self._manual_off.remark

    def open(self) -> None:
        """Find the lamps and end their effects.

        :raises Exception: when none responds, or a lamp lacks the requested zones.
        """
        self._lifx = load_library("lifx", distribution="lifx-async")
        self._loop = asyncio.new_event_loop()
        self._is_powered, self._polled_s = False, 0.0
        if self.config.host:
            _, address = resolve(self.config.host, self.config.udp_port, socket.SOCK_DGRAM)
            connection = self._lifx.Light.connect(
                address[0], port=address[1], timeout=ANSWER_TIMEOUT_S, max_retries=1
            )
            self._lamps = [self._wait_for(connection, 2.0 * ANSWER_TIMEOUT_S)]
        else:
            self._lamps = self._wait_for(self._search(), 4.0 * DISCOVERY_S)
        self._wait_for(self._all(lamp.stop_effect() for lamp in self._lamps))
        if self.config.zones and not all(hasattr(x, "set_color_zones") for x in self._lamps):
            raise DeviceUnavailableError("first_zone: this LIFX lamp has no zones")

    def reached(self) -> tuple[Claim, ...]:
        """Return the lamps or zones by their serial numbers."""
        zones = self.config.zones or (0, LAST_CHANNEL)
        return tuple(Claim(f"lifx://{str(x.serial).casefold()}", *zones) for x in self._lamps)

    def send(self, state: LightState) -> None:
        """Show the colour, then switch the lamp on if it is off.

        :raises Exception: when a lamp does not acknowledge it.
        """
        self._look()
        if self._manual_off.holds(state):
            return
        color = self._lifx.HSBK.from_rgb(*state.color.displayed_rgb()).with_kelvin(WHITE_KELVIN)
        self._wait_for(self._all(self._set_color(lamp, color) for lamp in self._lamps))
        if not self._is_powered and state.color.brightness > 0.0:
            self._wait_for(self._all(lamp.set_power(True) for lamp in self._lamps))
            self._is_powered = True
        self._manual_off.sent(state)

    def close(self) -> None:
        """Release the socket; the lamp keeps the last colour."""
        loop, self._loop = self._loop, None
        lamps, self._lamps = self._lamps, []
        if loop is None:
            return
        try:
            for lamp in lamps:
                loop.run_until_complete(lamp.close())
        finally:
            loop.close()

    async def _search(self) -> list[Any]:
        """Return the lamps that have the wanted serial number, label or group."""
        config = self.config
        found, others = [], []
        async for lamp in self._lifx.discover_udp(
            timeout=DISCOVERY_S,
            broadcast_address=config.broadcast_address,
            port=config.udp_port,
            device_timeout=ANSWER_TIMEOUT_S,
            max_retries=1,
        ):
            is_wanted, text = await self._is_wanted(lamp)
            if is_wanted:
                found.append(lamp)
            else:
                others.append(text)
                await lamp.close()
        if not found:
            key = next(key for key in _TARGETS if getattr(config, key))
            raise DeviceUnavailableError(
                f"{key}: no LIFX lamp with {key} {getattr(config, key)!r} answers at "
                f"{config.broadcast_address}; there are {', '.join(sorted(set(others))) or 'none'}"
            )
        return found

    async def _is_wanted(self, lamp: Any) -> tuple[bool, str]:
        """Return whether a lamp matches, and its name."""
        config = self.config
        if config.serial:
            wanted = config.serial.replace(":", "").casefold()
            return str(lamp.serial).casefold() == wanted, str(lamp.serial)
        if config.label:
            label = await lamp.get_label()
            return label.casefold() == config.label.casefold(), repr(label)
        group = (await lamp.get_group()).label
        return group.casefold() == config.group.casefold(), repr(group)

    def _look(self) -> None:
        """Check at intervals whether the lamps are switched on."""
        now_s = time.monotonic()
        if now_s - self._polled_s < POLL_S:
            return
        self._polled_s = now_s
        levels = self._wait_for(self._all(lamp.get_power() for lamp in self._lamps))
        self._is_powered = any(levels)
        self._manual_off.reported(self._is_powered)

    def _set_color(self, lamp: Any, color: Any) -> Coroutine[Any, Any, None]:
        # Always at once: a fade between two hues would take the lamp through others.
        answer: Coroutine[Any, Any, None]
        if self.config.zones is None:
            answer = lamp.set_color(color, duration=0.0)
        else:
            answer = lamp.set_color_zones(*self.config.zones, color, duration=0.0)
        return answer

    @staticmethod
    async def _all(answers: Any) -> list[Any]:
        return list(await asyncio.gather(*answers))

    def _wait_for(
        self, answer: Coroutine[Any, Any, Any], timeout_s: float = ANSWER_TIMEOUT_S
    ) -> Any:
        if self._loop is None:
            answer.close()
            raise ConnectionError("not open")
        try:
            return self._loop.run_until_complete(asyncio.wait_for(answer, timeout_s))
        except TimeoutError as error:
            key = next(key for key in _TARGETS if getattr(self.config, key))
            name = getattr(self.config, key)
            raise TimeoutError(f"lamp {name}:{self.config.udp_port} does not answer") from error
