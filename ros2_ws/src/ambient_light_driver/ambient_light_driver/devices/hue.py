# SPDX-License-Identifier: Apache-2.0
"""Philips Hue lamps behind a bridge, by version 2 of its HTTPS interface (CLIP).

Described at https://developers.meethue.com and https://github.com/openhue/openhue-api.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import quote

from ambient_light_driver.color.light_color import LightColor, Rgb, srgb_to_linear
from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice
from ambient_light_driver.devices.secret import read_secret
from ambient_light_driver.light_state import LightState
from fer_common.options import ConfigError, option

ANSWER_TIMEOUT_S = 1.0
MAX_ANSWER_BYTES = 65536

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
        8.0, "Most commands per second; the bridge takes about 10.", minimum=0.1, maximum=10.0
    )
    refresh_s: float = option(
        1.0, "Time after which an unchanged colour is sent again [s].", minimum=0.1, maximum=3600.0
    )
    host: str = option("", "Name or IP address of the bridge.")
    https_port: int = option(443, "TCP port of the bridge.", minimum=1, maximum=65535)
    light_id: str = option("", "Id of the lamp, from /clip/v2/resource/light of the bridge.")
    key_file: str = option("", "File whose first line is the application key.")
    key_env: str = option("", "Environment variable that holds the application key.")
    verify: bool = option(True, "Check the bridge's certificate; false talks to any impostor.")
    ca_file: str = option("", "Certificates that the bridge's one is checked against.")
    bridge_id: str = option(
        "", "Name in the bridge's certificate, which is its id; empty for the host."
    )
    transition_s: float = option(
        0.1, "Time in which the lamp is to fade to a new colour [s].", minimum=0.0, maximum=10.0
    )

    def __post_init__(self) -> None:
        """Check what cannot be left out."""
        if not self.host:
            raise ConfigError("host: expected the bridge's name or IP address, got ''")
        if not self.light_id:
            raise ConfigError("light_id: expected the id of a lamp, got ''")
        if not (self.key_file or self.key_env):
            raise ConfigError(
                "key_file: expected the file with the application key (or set key_env), got ''"
            )
        if self.verify and not self.ca_file:
            raise ConfigError(
                "ca_file: expected the certificates to check the bridge against (or set verify to "
                "false), got ''"
            )


class HueDevice(LightDevice[HueConfig]):
    """Sets one lamp and waits for the bridge's answer."""

    config_type = HueConfig

    def __init__(self, name: str, config: HueConfig) -> None:
        super().__init__(name, config)
        self._bridge: _BridgeConnection | None = None
        self._key = ""

    def open(self) -> None:
        """Connect to the bridge.

        :raises Exception: when it cannot be reached, its certificate is not the expected one, or
            there is no application key.
        """
        self._key = _application_key(self.config)
        self._bridge = _BridgeConnection(self.config)
        self._bridge.connect()

    def send(self, state: LightState) -> None:
        """Show the colour.

        :raises Exception: when the bridge does not answer or the lamp did not obey.
        """
        if self._bridge is None:
            raise ConnectionError("not open")
        self._bridge.request(
            "PUT",
            f"/clip/v2/resource/light/{quote(self.config.light_id, safe='')}",
            json.dumps(light_command(state.color, self.config.transition_s)),
            {"hue-application-key": self._key, "Content-Type": "application/json"},
        )
        answer = self._bridge.getresponse()
        text = answer.read(MAX_ANSWER_BYTES)
        if answer.status != 200:
            reason = _reported_error(text) or answer.reason
            raise ConnectionError(f"Hue bridge answers {answer.status}: {reason}")
        if error := _reported_error(text):
            raise ConnectionError(f"Hue bridge reports: {error}")

    def close(self) -> None:
        """Disconnect; the lamp keeps the last colour."""
        if self._bridge is not None:
            self._bridge.close()
        self._bridge = None
        self._key = ""


class _BridgeConnection(http.client.HTTPSConnection):
    """HTTPS to a server whose certificate names its id and not its address."""

    def __init__(self, config: HueConfig) -> None:
        context = ssl.create_default_context(cafile=config.ca_file or None)
        if not config.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        super().__init__(config.host, config.https_port, timeout=ANSWER_TIMEOUT_S, context=context)
        self._tls = context
        self._certified_name = config.bridge_id or config.host

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self._certified_name)


def light_command(color: LightColor, transition_s: float) -> dict[str, object]:
    """Return the body of a request that shows ``color``.

    The lamp gets the colour as chromaticity, and its brightness in percent as a screen encodes
    light (sRGB), since the steps of Hue's brightness look equal, too.
    """
    dynamics = {"duration": round(1000.0 * transition_s)}
    percent = round(100.0 * max(color.displayed_rgb()), 2)
    if percent <= 0.0:  # which the bridge would take for the lowest brightness, not for off
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


def _reported_error(text: bytes) -> str:
    """Return the first error in the bridge's answer; empty when there is none."""
    try:
        errors = json.loads(text).get("errors", [])
        return str(errors[0].get("description", errors[0]))[:200] if errors else ""
    except (ValueError, AttributeError, LookupError, TypeError, RecursionError):
        return f"no JSON as expected: {text[:80]!r}"
