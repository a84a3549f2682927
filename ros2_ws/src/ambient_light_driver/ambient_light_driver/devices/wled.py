# SPDX-License-Identifier: Apache-2.0
"""WLED controllers: JSON over HTTP, or the Distributed Display Protocol over UDP in real time."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from dataclasses import dataclass

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.dmx_layout import ChannelConfig, fixture_channels
from ambient_light_driver.devices.light_device import LightDevice
from ambient_light_driver.light_state import LightState
from fer_common.options import ConfigError, option

ANSWER_TIMEOUT_S = 1.0
DDP_PORT = 4048
DDP_VERSION_1 = 0x40
DDP_PUSH = 0x01
DDP_RGB_8_BIT = 0x0B
DDP_DEFAULT_OUTPUT = 1
MAX_DDP_LEDS = 480
"""LEDs in one DDP packet, which stays below the size that networks split."""


@dataclass(frozen=True, kw_only=True)
class WledConfig(ChannelConfig):
    """Options of :class:`WledDevice`."""

    max_rate_hz: float = option(
        20.0, "Most colours per second; raise it with ddp only.", minimum=0.1, maximum=100.0
    )
    host: str = option("", "Name or IP address of the controller.")
    http_port: int = option(80, "TCP port of its HTTP interface.", minimum=1, maximum=65535)
    protocol: str = option(
        "json", "json: HTTP with an answer; ddp: UDP in real time.", choices=("json", "ddp")
    )
    ddp_port: int = option(DDP_PORT, "UDP port of ddp.", minimum=1, maximum=65535)
    led_count: int = option(
        30, "Number of LEDs for ddp; all show the same.", minimum=1, maximum=10_000
    )

    def __post_init__(self) -> None:
        """Check the host and the channels of an LED."""
        super().__post_init__()
        if not self.host:
            raise ConfigError("host: expected the controller's name or IP address, got ''")
        if len(self.channel_order) != 3:
            raise ConfigError(
                f"channel_order: expected three letters for WLED, got {self.channel_order!r}"
            )


class WledDevice(LightDevice[WledConfig]):
    """Shows the colour on the whole strip."""

    config_type = WledConfig

    def __init__(self, name: str, config: WledConfig) -> None:
        super().__init__(name, config)
        self._http: http.client.HTTPConnection | None = None
        self._udp: socket.socket | None = None
        self._sequence = 0

    def open(self) -> None:
        """Connect; with ddp it cannot be known whether anyone listens."""
        if self.config.protocol == "ddp":
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            return
        self._http = http.client.HTTPConnection(
            self.config.host, self.config.http_port, timeout=ANSWER_TIMEOUT_S
        )
        self._http.connect()

    def send(self, state: LightState) -> None:
        """Show the colour.

        :raises Exception: when the controller does not take it; not with ddp.
        """
        if self._http is not None:
            self._send_json(self._http, state.color)
        elif self._udp is not None:
            self._send_ddp(self._udp, state.color)
        else:
            raise ConnectionError("not open")

    def close(self) -> None:
        """Disconnect; the strip keeps the last colour."""
        for connection in (self._http, self._udp):
            if connection is not None:
                connection.close()
        self._http = self._udp = None

    def _send_json(self, connection: http.client.HTTPConnection, color: LightColor) -> None:
        body = json.dumps(wled_state(color))
        connection.request("POST", "/json/state", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read(65536)
        if answer.status != 200:
            raise ConnectionError(f"WLED answers {answer.status} {answer.reason}: {text[:80]!r}")

    def _send_ddp(self, udp: socket.socket, color: LightColor) -> None:
        led = fixture_channels(color, self.config)
        for first in range(0, self.config.led_count, MAX_DDP_LEDS):
            count = min(MAX_DDP_LEDS, self.config.led_count - first)
            self._sequence = self._sequence % 15 + 1
            packet = ddp_packet(
                led * count,
                offset=first * len(led),
                sequence=self._sequence,
                push=first + count == self.config.led_count,
            )
            udp.sendto(packet, (self.config.host, self.config.ddp_port))


def wled_state(color: LightColor) -> dict[str, object]:
    """Return the body of a request that shows ``color`` at once."""
    brightness = round(255.0 * color.brightness)
    if brightness == 0:
        return {"on": False, "transition": 0}
    rgb = [round(255.0 * value) for value in color.rgb]
    segment = {"id": 0, "fx": 0, "col": [rgb]}
    return {"on": True, "bri": brightness, "transition": 0, "seg": [segment]}


def ddp_packet(data: bytes, offset: int, sequence: int, push: bool) -> bytes:
    """Return a DDP packet (http://www.3waylabs.com/ddp/).

    :param data: red, green, blue of each LED.
    :param offset: place of the first byte in the display's data.
    :param sequence: 1 to 15.
    :param push: whether the display is to show what it has now.
    """
    flags = DDP_VERSION_1 | (DDP_PUSH if push else 0)
    header = struct.pack(
        ">BBBBLH", flags, sequence, DDP_RGB_8_BIT, DDP_DEFAULT_OUTPUT, offset, len(data)
    )
    return header + data
