# SPDX-License-Identifier: Apache-2.0
"""WLED controllers, over JSON (HTTP) or DDP (UDP)."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from dataclasses import dataclass
from typing import Any

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.claims import Claim, network_resource
from ambient_light_driver.devices.dmx_layout import ChannelConfig, fixture_channels
from ambient_light_driver.devices.light_device import LightDevice
from ambient_light_driver.devices.manual_off import ManualOff
from ambient_light_driver.devices.network import ANSWER_TIMEOUT_S, UdpPeer, discard_queued
from ambient_light_driver.light_state import LightState
from fer_common.options import ConfigError, option

SELECTED_SEGMENTS = -1
MAX_ANSWER_BYTES = 262_144

DDP_PORT = 4048
DDP_VERSION_1 = 0x40
DDP_PUSH = 0x01
DDP_DATA_TYPES = {3: 0x0B, 4: 0x1B}
"""Bytes of an LED -> data type: RGB or RGBW, 8 bits each."""

DDP_DEFAULT_OUTPUT = 1
MAX_DDP_BYTES = 1440
"""Channel data per packet, below the size of fragmentation."""

NO_PROGRAMS: dict[str, object] = {"playlist": {}, "nl": {"on": False}}
"""Ends a playlist (an empty one replaces it) and the timer that dims to a level."""

LONGEST_PAUSE_S = 2.0
"""Maximum pause with ddp: WLED leaves real-time mode 2.5 s after the last packet [s]."""


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
    segment: int = option(
        SELECTED_SEGMENTS,
        "Segment to light, with json; -1 for all that are selected in WLED.",
        minimum=SELECTED_SEGMENTS,
        maximum=63,
    )
    ddp_port: int = option(DDP_PORT, "UDP port of ddp.", minimum=1, maximum=65535)
    led_count: int = option(
        30, "Number of LEDs for ddp; all show the same.", minimum=1, maximum=10_000
    )
    respect_manual_off: bool = option(
        False,
        "With json, leave a controller off that a person has switched off, until it is switched "
        "on again.",
    )

    def __post_init__(self) -> None:
        """Check that every given option has an effect."""
        super().__post_init__()
        if not self.host:
            raise ConfigError("host: expected the controller's name or IP address, got ''")
        if self.protocol == "json":
            self._check_json()
        else:
            self._check_ddp()

    def _check_json(self) -> None:
        if self.channel_order != "RGB" or self.gamma != 1.0:
            key = "channel_order" if self.channel_order != "RGB" else "gamma"
            raise ConfigError(
                f"{key}: applies to protocol ddp only, got {getattr(self, key)!r}; with json set "
                "it in WLED (LED preferences)"
            )

    def _check_ddp(self) -> None:
        functions = sorted(channel.function for channel in self.mode.channels)
        if functions not in (["blue", "green", "red"], ["blue", "green", "red", "white"]):
            raise ConfigError(
                "channel_order: expected R, G and B, or R, G, B and W for WLED in the order of "
                f"the LEDs, got {self.channel_order!r}"
            )
        if self.refresh_s > LONGEST_PAUSE_S or self.max_rate_hz < 1.0 / LONGEST_PAUSE_S:
            key = "refresh_s" if self.refresh_s > LONGEST_PAUSE_S else "max_rate_hz"
            raise ConfigError(
                f"{key}: expected a packet every {LONGEST_PAUSE_S:g} s at least with ddp, since "
                f"WLED leaves real-time mode after 2.5 s; got {getattr(self, key):g}"
            )
        if self.segment != SELECTED_SEGMENTS or self.respect_manual_off:
            key = "respect_manual_off" if self.respect_manual_off else "segment"
            raise ConfigError(f"{key}: applies to protocol json only")

    def claims(self) -> tuple[Claim, ...]:
        """Return the segment, or the whole controller."""
        resource = network_resource("wled", self.host, self.http_port)
        if self.segment == SELECTED_SEGMENTS:
            return (Claim(resource),)
        return (Claim(resource, self.segment, self.segment),)


class WledDevice(LightDevice[WledConfig]):
    """Show the colour on the strip or on one of its segments."""

    config_type = WledConfig

    def __init__(self, name: str, config: WledConfig) -> None:
        super().__init__(name, config)
        self._http = _JsonInterface(config)
        self._udp: tuple[socket.socket, Any] | None = None
        self._is_open = False
        self._sequence = 0
        self._shown: LightState | None = None
        self._manual_off = ManualOff(config.respect_manual_off)

    @property
    def remark(self) -> str:
        """Whether the controller was switched off by hand."""
        return self._manual_off.remark

    def open(self) -> None:
        """Connect and end a playlist or timer; ddp receivers do not confirm.

        :raises Exception: when the controller cannot be reached or does not respond.
        """
        self._shown = None
        if self.config.protocol == "ddp":
            self._udp = UdpPeer(self.config.host, self.config.ddp_port).open()
        else:
            # Query first, since a stalled controller would accept a colour with each connection
            # and show them all in sequence when it recovers.
            self._http.end_programs()
        self._is_open = True

    def send(self, state: LightState) -> None:
        """Show the colour.

        :raises Exception: when the controller does not accept it; with ddp, when it cannot be
            sent.
        """
        if not self._is_open:
            raise ConnectionError("not open")
        self._shown = None  # until it is delivered
        if self._udp is not None:
            self._send_ddp(*self._udp, state.color)
            self._shown = state
            return
        if self.config.respect_manual_off and state.color.brightness > 0.0:
            self._manual_off.reported(self._http.is_on())
        if not self._manual_off.holds(state):
            self._http.post(wled_state(state.color, self.config.segment))
            self._manual_off.sent(state)

    def close(self) -> None:
        """Disconnect; the strip keeps the last colour.

        :raises Exception: when WLED, after a stream, does not keep the last colour and returns to
            its previous state.
        """
        udp, self._udp = self._udp, None
        shown, self._shown = self._shown, None
        self._is_open = False
        try:
            if udp is not None:
                udp[0].close()
                if shown is not None:
                    self._http.post({**wled_state(shown.color), **NO_PROGRAMS, "live": False})
        except OSError as error:
            raise ConnectionError(
                "WLED does not keep the colour after the stream and resumes its former state: "
                f"{error}"
            ) from error
        finally:
            self._http.close()

    def _send_ddp(self, udp: socket.socket, address: Any, color: LightColor) -> None:
        led = fixture_channels(color, self.config)
        leds_per_packet = MAX_DDP_BYTES // len(led)
        for first in range(0, self.config.led_count, leds_per_packet):
            count = min(leds_per_packet, self.config.led_count - first)
            self._sequence = self._sequence % 15 + 1
            packet = ddp_packet(
                led * count,
                data_type=DDP_DATA_TYPES[len(led)],
                offset=first * len(led),
                sequence=self._sequence,
                push=first + count == self.config.led_count,
            )
            udp.sendto(packet, address)


class _JsonInterface:
    """WLED's JSON interface, with one request at a time."""

    def __init__(self, config: WledConfig) -> None:
        self._segment = config.segment
        self._connection = http.client.HTTPConnection(
            config.host, config.http_port, timeout=ANSWER_TIMEOUT_S
        )

    def post(self, state: dict[str, object]) -> None:
        self._request("POST", json.dumps(state))

    def end_programs(self) -> None:
        """End playlists, nightlights and wake-up timers, which would change the light."""
        state = self._state()
        timer = state.get("nl")
        has_timer = isinstance(timer, dict) and bool(timer.get("on"))
        if state.get("pl", -1) != -1 or has_timer:
            self.post({**NO_PROGRAMS, "tt": 0})

    def _state(self) -> dict[str, Any]:
        try:
            state = json.loads(self._request("GET"))
        except ValueError as error:
            raise ConnectionError(f"WLED describes its state incompletely: {error!r}") from error
        if not isinstance(state, dict):
            raise ConnectionError(f"WLED describes its state incompletely: {state!r:.80}")
        return state

    def is_on(self) -> bool:
        """Return whether the controller, and the chosen segment, is on."""
        state = self._state()
        try:
            segments = {segment["id"]: segment for segment in state["seg"]}
            segment = segments.get(self._segment, {"on": True})
            return bool(state["on"]) and bool(segment["on"])
        except (KeyError, TypeError) as error:
            raise ConnectionError(f"WLED describes its state incompletely: {error!r}") from error

    def close(self) -> None:
        self._connection.close()

    def _request(self, method: str, body: str | None = None) -> bytes:
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            self._connection.request(method, "/json/state", body, headers)
            answer = self._connection.getresponse()
            text = answer.read(MAX_ANSWER_BYTES)
        except (OSError, http.client.HTTPException):
            discard_queued(self._connection.sock)
            self._connection.close()
            raise
        if answer.status != 200:
            raise ConnectionError(f"WLED answers {answer.status} {answer.reason}: {text[:80]!r}")
        return text


def wled_state(color: LightColor, segment: int = SELECTED_SEGMENTS) -> dict[str, object]:
    """Return the request body that shows ``color`` at once.

    :param segment: number of the only segment to change; -1 for all that are selected.
    """
    brightness = round(255.0 * color.brightness)
    rgb = [round(255.0 * value) for value in color.rgb]
    lit = {"on": True, "fx": 0, "col": [rgb]}
    if segment == SELECTED_SEGMENTS:
        if brightness == 0:
            return {"on": False, "tt": 0}
        return {"on": True, "bri": brightness, "tt": 0, "seg": lit}
    if brightness == 0:
        return {"tt": 0, "seg": {"id": segment, "on": False}}
    return {"on": True, "tt": 0, "seg": {"id": segment, "bri": brightness, **lit}}


def ddp_packet(data: bytes, data_type: int, offset: int, sequence: int, push: bool) -> bytes:
    """Return a DDP packet (http://www.3waylabs.com/ddp/).

    :param data: channels of each LED.
    :param data_type: one of :data:`DDP_DATA_TYPES`.
    :param offset: place of the first byte in the display's data.
    :param sequence: 1 to 15.
    :param push: whether the display shows the received data now.
    """
    flags = DDP_VERSION_1 | (DDP_PUSH if push else 0)
    header = struct.pack(
        ">BBBBLH", flags, sequence, data_type, DDP_DEFAULT_OUTPUT, offset, len(data)
    )
    return header + data
