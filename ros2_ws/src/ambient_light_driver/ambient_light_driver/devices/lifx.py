# SPDX-License-Identifier: Apache-2.0
"""LIFX lamps, by their LAN protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice
from ambient_light_driver.devices.optional_library import load_library
from ambient_light_driver.light_state import LightState
from fer_common.options import ConfigError, option

ANSWER_TIMEOUT_S = 1.0
WHITE_KELVIN = 6500
"""White point of sRGB; the lamp uses it for the unsaturated part of a colour."""


@dataclass(frozen=True, kw_only=True)
class LifxConfig(DeviceConfig):
    """Options of :class:`LifxDevice`."""

    max_rate_hz: float = option(
        20.0, "Most colours per second; the maker advises at most 20.", minimum=0.1, maximum=20.0
    )
    host: str = option("", "IP address of the lamp.")
    udp_port: int = option(56700, "UDP port of the lamp.", minimum=1, maximum=65535)
    transition_s: float = option(
        0.05, "Time in which the lamp is to fade to a new colour [s].", minimum=0.0, maximum=10.0
    )

    def __post_init__(self) -> None:
        """Check the address."""
        if not self.host:
            raise ConfigError("host: expected the lamp's IP address, got ''")


class LifxDevice(LightDevice[LifxConfig]):
    """Sets the colour of one lamp and waits for its acknowledgement."""

    config_type = LifxConfig

    def __init__(self, name: str, config: LifxConfig) -> None:
        super().__init__(name, config)
        self._lifx: Any = None
        self._lamp: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_on = False

    def open(self) -> None:
        """Ask the lamp who it is.

        :raises Exception: when it does not answer.
        """
        self._lifx = load_library("lifx", "lifx-async")
        self._loop = asyncio.new_event_loop()
        self._is_on = False
        self._lamp = self._wait_for(
            self._lifx.Light.from_ip(
                self.config.host, self.config.udp_port, timeout=ANSWER_TIMEOUT_S, max_retries=1
            )
        )

    def send(self, state: LightState) -> None:
        """Show the colour; the lamp is switched on after it has the first one."""
        color = self._lifx.HSBK.from_rgb(*state.color.displayed_rgb()).with_kelvin(WHITE_KELVIN)
        self._wait_for(self._lamp.set_color(color, duration=self.config.transition_s))
        if not self._is_on:
            self._wait_for(self._lamp.set_power(True))
            self._is_on = True

    def close(self) -> None:
        """Release the socket; the lamp keeps the last colour."""
        loop, self._loop = self._loop, None
        lamp, self._lamp = self._lamp, None
        if loop is None:
            return
        try:
            if lamp is not None:
                loop.run_until_complete(lamp.close())
        finally:
            loop.close()

    def _wait_for(self, answer: Coroutine[Any, Any, Any]) -> Any:
        if self._loop is None:
            answer.close()
            raise ConnectionError("not open")
        try:
            return self._loop.run_until_complete(asyncio.wait_for(answer, ANSWER_TIMEOUT_S))
        except TimeoutError as error:
            raise TimeoutError(
                f"lamp {self.config.host}:{self.config.udp_port} does not answer"
            ) from error
