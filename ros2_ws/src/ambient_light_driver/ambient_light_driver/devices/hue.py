# SPDX-License-Identifier: Apache-2.0
"""Philips Hue lamps, rooms and zones behind a bridge."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from ambient_light_driver.color.light_color import LightColor, Rgb, srgb_to_linear
from ambient_light_driver.devices.claims import Claim, network_resource
from ambient_light_driver.devices.hue_bridge import (
    GROUPED_LIGHT,
    BridgeAddress,
    HueBridge,
    Resource,
    shared_pace,
)
from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice
from ambient_light_driver.devices.manual_off import ManualOff
from ambient_light_driver.devices.network import address_of
from ambient_light_driver.devices.secret import read_secret
from ambient_light_driver.light_state import LightState
from fer_common.options import ConfigError, option

POLL_S = 1.0
"""Interval of checks whether a lamp was switched off by hand [s]."""

SRGB_TO_XYZ = (
    (0.4124, 0.3576, 0.1805),
    (0.2126, 0.7152, 0.0722),
    (0.0193, 0.1192, 0.9505),
)
"""Linear sRGB to CIE 1931 XYZ with the white point D65 (IEC 61966-2-1)."""


@dataclass(frozen=True, kw_only=True)
class HueConfig(DeviceConfig):
    """Options of :class:`HueDevice`."""

    max_rate_hz: float = option(
        8.0,
        "Most commands per second. All lamps of a bridge share 10, rooms and zones 1 of them.",
        minimum=0.1,
        maximum=10.0,
    )
    refresh_s: float = option(
        1.0, "Time after which an unchanged colour is sent again [s].", minimum=0.1, maximum=3600.0
    )
    host: str = option("", "Name or IP address of the bridge.")
    https_port: int = option(443, "TCP port of the bridge.", minimum=1, maximum=65535)
    light_name: str = option(
        "", "Name of the lamp, room or zone, as the app shows it; or give an id."
    )
    light_id: str = option("", "Id of the lamp, from /clip/v2/resource/light of the bridge.")
    grouped_light_id: str = option(
        "", "Id of a room's or zone's light, from /clip/v2/resource/grouped_light of the bridge."
    )
    key_file: str = option("", "File whose first line is the application key.")
    key_env: str = option("", "Environment variable that holds the application key.")
    verify: bool = option(True, "Check the bridge's certificate; false talks to any impostor.")
    ca_file: str = option("", "Certificates that the bridge's one is checked against.")
    bridge_id: str = option(
        "", "Name in the bridge's certificate, which is its id; empty for the host."
    )
    respect_manual_off: bool = option(
        False, "Leave a lamp off that a person has switched off, until it is switched on again."
    )

    def __post_init__(self) -> None:
        """Check the required options."""
        if not self.host:
            raise ConfigError("host: expected the bridge's name or IP address, got ''")
        given = [key for key in _TARGETS if getattr(self, key)]
        if len(given) != 1:
            raise ConfigError(
                f"light_name: expected one of {', '.join(_TARGETS)}, got "
                f"{' and '.join(given) or 'none'}"
            )
        if not (self.key_file or self.key_env):
            raise ConfigError(
                "key_file: expected the file with the application key (or set key_env), got ''"
            )
        if self.verify and not self.ca_file:
            raise ConfigError(
                "ca_file: expected the certificates to check the bridge against (or set verify to "
                "false), got ''"
            )

    @property
    def address(self) -> BridgeAddress:
        """Address and certificate settings of the bridge."""
        certified_name = self.bridge_id or self.host
        return BridgeAddress(self.host, self.https_port, certified_name, self.ca_file, self.verify)

    def claims(self) -> tuple[Claim, ...]:
        """Return the lamp, room or zone by its configured name."""
        target = next(getattr(self, key) for key in _TARGETS if getattr(self, key))
        return (Claim(network_resource("hue", self.host, self.https_port, target.casefold())),)


_TARGETS = ("light_name", "light_id", "grouped_light_id")


class HueDevice(LightDevice[HueConfig]):
    """Set one lamp, room or zone and wait for the bridge's response."""

    config_type = HueConfig

    def __init__(self, name: str, config: HueConfig) -> None:
        super().__init__(name, config)
        self._bridge: HueBridge | None = None
        self._resource = Resource("light", config.light_id)
        if config.grouped_light_id:
            self._resource = Resource(GROUPED_LIGHT, config.grouped_light_id)
        self._pace = shared_pace(config.address)
        self._manual_off = ManualOff(config.respect_manual_off)
        self._polled_s = 0.0

    @property
    def remark(self) -> str:
        """Whether the lamp was switched off by hand."""
        return self._manual_off.remark

    def open(self) -> None:
        """Connect to the bridge, find the lamp and end its effect.

        :raises Exception: when it cannot be reached, its certificate is not the expected one, or
            no application key is given.
        """
        self._bridge = HueBridge(self.config.address, _application_key(self.config))
        self._bridge.connect()
        if self.config.light_name:
            self._resource = self._bridge.find(self.config.light_name)
        self._bridge.end_effect(self._resource)

    def reached(self) -> tuple[Claim, ...]:
        """Return the lamp, room or zone by its id and the bridge."""
        host = address_of(self.config.host)
        path = self._resource.path
        return (Claim(network_resource("hue", host, self.config.https_port) + path),)

    def take_turn(self) -> float:
        """Take a turn on the bridge, which is shared with other lamps."""
        return self._pace.take_turn(self._resource)

    def send(self, state: LightState) -> None:
        """Show the colour.

        :raises Exception: when the bridge does not answer or the lamp did not obey.
        """
        if self._bridge is None:
            raise ConnectionError("not open")
        command = light_command(state.color)
        if self.config.respect_manual_off:
            self._look(self._bridge)
            if self._manual_off.holds(state):
                return
            if self._manual_off.is_lit and state.color.brightness > 0.0:
                del command["on"]  # which would light a lamp that was just switched off
        warning = self._bridge.put(self._resource, command)
        if not warning or state.color.brightness <= 0.0:
            self._manual_off.sent(state)
        elif self.config.respect_manual_off:
            self._manual_off.reported(is_on=False)
        else:
            raise ConnectionError(f"Hue bridge reports: {warning}")

    def close(self) -> None:
        """Disconnect; the lamp keeps the last colour."""
        if self._bridge is not None:
            self._bridge.close()
        self._bridge = None

    def _look(self, bridge: HueBridge) -> None:
        """Check at intervals whether the lamp is on."""
        now_s = time.monotonic()
        if now_s - self._polled_s >= POLL_S:
            self._polled_s = now_s
            self._manual_off.reported(bridge.is_on(self._resource))


def light_command(color: LightColor) -> dict[str, object]:
    """Return the request body that shows ``color`` at once.

    The colour is sent as chromaticity, the brightness in percent with sRGB encoding, since the
    steps of Hue's brightness are perceptually uniform as well.
    """
    dynamics = {"duration": 0}
    percent = round(100.0 * max(color.displayed_rgb()), 2)
    if percent <= 0.0:  # which the bridge would treat as the lowest brightness, not as off
        return {"on": {"on": False}, "dynamics": dynamics}
    red, green, blue = (srgb_to_linear(value) for value in color.normalized().rgb)
    x, y = chromaticity((red, green, blue))
    return {
        "on": {"on": True},
        "dimming": {"brightness": percent},
        "color": {"xy": {"x": round(x, 4), "y": round(y, 4)}},
        "dynamics": dynamics,
    }


def chromaticity(linear: Rgb) -> tuple[float, float]:
    """Return CIE 1931 x and y of linear sRGB.

    :param linear: red, green, blue in [0, 1], not all zero.
    """
    big_x, big_y, big_z = (
        sum(factor * value for factor, value in zip(row, linear, strict=True))
        for row in SRGB_TO_XYZ
    )
    total = big_x + big_y + big_z
    return big_x / total, big_y / total


def _application_key(config: HueConfig) -> str:
    key = read_secret(config.key_file, config.key_env).strip()
    # Checked here, since the error of the HTTP library would show the key.
    if not re.fullmatch(r"[!-~]+", key):
        place = config.key_file or f"environment variable {config.key_env}"
        raise ConnectionError(f"{place}: expected the bridge's application key in ASCII")
    return key
