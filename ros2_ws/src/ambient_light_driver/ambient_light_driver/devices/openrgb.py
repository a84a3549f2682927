# SPDX-License-Identifier: Apache-2.0
"""LEDs of PCs and peripherals through the OpenRGB server.

Version 0 of its network protocol, the default of every server.
See https://github.com/CalcProgrammer1/OpenRGB, Documentation/OpenRGBSDK.md. All numbers are
little-endian.
"""

from __future__ import annotations

import socket
import struct
import threading
from dataclasses import dataclass

from ambient_light_driver.devices.claims import Claim, network_resource
from ambient_light_driver.devices.dmx_layout import ChannelConfig, fixture_channels
from ambient_light_driver.devices.light_device import DeviceUnavailableError, LightDevice
from ambient_light_driver.devices.network import ANSWER_TIMEOUT_S, address_of, discard_queued
from ambient_light_driver.light_state import LightState
from fer_common.options import ConfigError, option

MAX_ANSWER_BYTES = 4 * 1024 * 1024

HEADER = struct.Struct("<4sIII")
"""Magic text, number of the controller, kind of packet, bytes that follow."""
MAGIC = b"ORGB"
REQUEST_CONTROLLER_COUNT = 0
REQUEST_CONTROLLER_DATA = 1
SET_CLIENT_NAME = 50
DEVICE_LIST_UPDATED = 100
UPDATE_LEDS = 1050
SET_CUSTOM_MODE = 1100

_CLIENT_NAME = b"ambient_light\0"
_MODE_NUMBERS_BYTES = 9 * 4  # value, flags, speed and color limits, speed, direction, color mode
_ZONE_NUMBERS_BYTES = 4 * 4  # kind, minimum, maximum and current number of LEDs


@dataclass(frozen=True, kw_only=True)
class OpenRgbConfig(ChannelConfig):
    """Options of :class:`OpenRgbDevice`."""

    max_rate_hz: float = option(
        20.0, "Most colours per second; many controllers are slow.", minimum=0.1, maximum=100.0
    )
    host: str = option("127.0.0.1", "Name or IP address of the server.")
    sdk_port: int = option(6742, "TCP port of the server.", minimum=1, maximum=65535)
    controller: str = option(
        "",
        "Text that is part of a controller's name, serial number or location, or #2 for the one "
        "with index 2; empty drives all controllers.",
    )

    def __post_init__(self) -> None:
        """Check the channels of an LED."""
        super().__post_init__()
        if self.mode.size != 3:
            raise ConfigError(
                f"channel_order: expected three letters for OpenRGB, got {self.channel_order!r}"
            )
        if self.controller.startswith("#") and not self.controller[1:].isdecimal():
            raise ConfigError(f"controller: expected a number after #, got {self.controller!r}")

    def claims(self) -> tuple[Claim, ...]:
        """Return the controllers; names are resolved and checked in :meth:`open`."""
        server = network_resource("openrgb", self.host, self.sdk_port)
        if self.controller.startswith("#"):
            index = int(self.controller[1:])
            return (Claim(server, index, index),)
        if self.controller:
            return (Claim(f"{server}/{self.controller.casefold()}"),)
        return (Claim(server),)


@dataclass(frozen=True)
class Controller:
    """A controller of the server.

    :param index: its place in the server's list.
    :param location: its connection, for example ``HID: /dev/hidraw0``.
    :param led_count: number of its LEDs.
    """

    index: int
    name: str
    serial: str
    location: str
    led_count: int

    def matches(self, text: str) -> bool:
        """Return whether ``text`` is its #index or a part of its names."""
        if text.startswith("#"):
            return text == f"#{self.index}"
        names = (self.name, self.serial, self.location)
        return any(text.casefold() in name.casefold() for name in names)

    def __str__(self) -> str:
        """Return the controller's name for errors."""
        return f"#{self.index} {self.name!r} (serial {self.serial!r}, at {self.location!r})"


_driven: dict[tuple[str, int], OpenRgbDevice] = {}
"""Server and controller's index -> device of this process that drives it."""

_driven_lock = threading.Lock()


class OpenRgbDevice(LightDevice[OpenRgbConfig]):
    """Show the colour on all LEDs of the chosen controllers."""

    config_type = OpenRgbConfig

    def __init__(self, name: str, config: OpenRgbConfig) -> None:
        super().__init__(name, config)
        self._connection: socket.socket | None = None
        self._controllers: list[Controller] = []
        self._is_idle = True

    def open(self) -> None:
        """Connect and end the controllers' effects.

        :raises Exception: when the server does not respond or lacks the controller.
        """
        self._connection = socket.create_connection(
            (self.config.host, self.config.sdk_port), ANSWER_TIMEOUT_S
        )
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._command(SET_CLIENT_NAME, _CLIENT_NAME)
        count = self._controller_count()
        found = [self._ask_controller(index) for index in range(count)]
        wanted = self.config.controller
        chosen = [c for c in found if c.matches(wanted) and c.led_count > 0]
        if not chosen:
            raise DeviceUnavailableError(
                f"controller: OpenRGB has none with LEDs that {wanted!r} describes; it has "
                f"{', '.join(map(str, found)) or 'none'}"
            )
        self._occupy(chosen)
        for controller in self._controllers:
            self._command(SET_CUSTOM_MODE, b"", controller.index)

    def reached(self) -> tuple[Claim, ...]:
        """Return no claims: :meth:`open` reserves the controllers."""
        return ()

    def send(self, state: LightState) -> None:
        """Show the colour and wait for a response of the server.

        :raises Exception: when it does not answer, or its list of controllers has changed.
        """
        led = fixture_channels(state.color, self.config) + b"\0"
        self._is_idle = False
        for controller in self._controllers:
            self._command(UPDATE_LEDS, led_packet(led * controller.led_count), controller.index)
        self._controller_count()
        self._is_idle = True

    def close(self) -> None:
        """Disconnect; the LEDs keep the last colour."""
        if self._connection is not None:
            if not self._is_idle:
                discard_queued(self._connection)
            self._connection.close()
        self._connection = None
        with _driven_lock:
            for key in [key for key, owner in _driven.items() if owner is self]:
                del _driven[key]
        self._controllers = []

    def _occupy(self, chosen: list[Controller]) -> None:
        """Reserve controllers within this process."""
        server = network_resource("openrgb", address_of(self.config.host), self.config.sdk_port)
        with _driven_lock:
            for controller in chosen:
                owner = _driven.get((server, controller.index))
                if owner is not None:
                    raise DeviceUnavailableError(
                        f"controller: devices {owner.name} and {self.name} both drive "
                        f"{controller}; choose another for one of them"
                    )
            _driven.update({(server, c.index): self for c in chosen})
        self._controllers = chosen

    def _command(self, kind: int, data: bytes, controller: int = 0) -> None:
        if self._connection is None:
            raise ConnectionError("not open")
        self._connection.sendall(HEADER.pack(MAGIC, controller, kind, len(data)) + data)

    def _ask(self, kind: int, controller: int = 0) -> bytes:
        self._command(kind, b"", controller)
        while True:
            magic, _, answered, size = HEADER.unpack(self._receive(HEADER.size))
            if magic != MAGIC or size > MAX_ANSWER_BYTES:
                raise ConnectionError(
                    f"{self.config.host}:{self.config.sdk_port} does not speak OpenRGB's protocol"
                )
            data = self._receive(size)
            if answered == DEVICE_LIST_UPDATED:
                raise ConnectionError("OpenRGB's list of controllers has changed")
            if answered == kind:
                return data

    def _receive(self, size: int) -> bytes:
        assert self._connection is not None
        received = bytearray()
        while len(received) < size:
            part = self._connection.recv(size - len(received))
            if not part:
                raise ConnectionError("OpenRGB has closed the connection")
            received += part
        return bytes(received)

    def _controller_count(self) -> int:
        data = self._ask(REQUEST_CONTROLLER_COUNT)
        return int.from_bytes(data[:4], "little")

    def _ask_controller(self, index: int) -> Controller:
        return parse_controller(index, self._ask(REQUEST_CONTROLLER_DATA, index))


def led_packet(colors: bytes) -> bytes:
    """Return the data of an UPDATE_LEDS packet.

    :param colors: red, green, blue and 0 of each LED.
    """
    size = 4 + 2 + len(colors)
    return struct.pack("<IH", size, len(colors) // 4) + colors


def parse_controller(index: int, data: bytes) -> Controller:
    """Parse the response to REQUEST_CONTROLLER_DATA.

    :raises ConnectionError: when it ends too early.
    """
    try:
        block = _Block(data)
        block.skip(4 + 4)  # size, kind
        name = block.text()
        block.text()  # description
        block.text()  # version
        serial, location = block.text(), block.text()
        modes = block.number()
        block.skip(4)  # active mode
        for _ in range(modes):
            block.text()
            block.skip(_MODE_NUMBERS_BYTES)
            block.skip(4 * block.number())  # colours
        for _ in range(block.number()):  # zones
            block.text()
            block.skip(_ZONE_NUMBERS_BYTES)
            block.skip(block.number())  # matrix
        return Controller(index, name, serial, location, block.number())
    except struct.error as error:
        raise ConnectionError(f"OpenRGB describes controller {index} incompletely") from error


class _Block:
    """Read consecutive fields."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    def skip(self, size: int) -> None:
        self._offset += size

    def number(self) -> int:
        value: int
        (value,) = struct.unpack_from("<H", self._data, self._offset)
        self._offset += 2
        return value

    def text(self) -> str:
        size = self.number()
        raw = self._data[self._offset : self._offset + size]
        self._offset += size
        return raw.rstrip(b"\0").decode(errors="replace")
