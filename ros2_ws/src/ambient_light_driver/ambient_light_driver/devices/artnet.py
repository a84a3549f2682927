# SPDX-License-Identifier: Apache-2.0
"""Lamps that listen to Art-Net 4 (Artistic Licence, https://art-net.org.uk)."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from ambient_light_driver.devices.dmx_layout import DmxConfig, dmx_universe
from ambient_light_driver.devices.light_device import LightDevice
from ambient_light_driver.light_state import LightState
from fer_common.options import option

PORT = 6454
OP_DMX = 0x5000
PROTOCOL_VERSION = 14


@dataclass(frozen=True, kw_only=True)
class ArtnetConfig(DmxConfig):
    """Options of :class:`ArtnetDevice`."""

    destination: str = option("127.0.0.1", "IP address of the Art-Net node.")
    universe: int = option(
        0, "Art-Net port address: net * 256 + sub-net * 16 + universe.", minimum=0, maximum=32767
    )
    # It sends and does not listen: 0.0.0.0 lets the system choose the interface.
    bind_address: str = option(
        "0.0.0.0",  # nosec B104
        "IP address of the network interface to send from.",
    )


class ArtnetDevice(LightDevice[ArtnetConfig]):
    """Sends one universe in ArtDmx packets."""

    config_type = ArtnetConfig

    def __init__(self, name: str, config: ArtnetConfig) -> None:
        super().__init__(name, config)
        self._socket: socket.socket | None = None
        self._sequence = 0

    def open(self) -> None:
        """Open the socket; whether anyone listens cannot be known."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.config.bind_address, 0))

    def send(self, state: LightState) -> None:
        """Send the whole universe in one packet."""
        if self._socket is None:
            raise ConnectionError("not open")
        # 1 to 255; 0 would tell the node not to put packets in order.
        self._sequence = self._sequence % 255 + 1
        packet = art_dmx(
            dmx_universe(state.color, self.config), self.config.universe, self._sequence
        )
        self._socket.sendto(packet, (self.config.destination, PORT))

    def close(self) -> None:
        """Close the socket; the node keeps the last colour."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def art_dmx(channels: bytes, port_address: int, sequence: int) -> bytes:
    """Return an ArtDmx packet.

    :param channels: values of channels 1, 2, ..., an even number of them.
    :param port_address: 15 bits: net, sub-net, universe.
    :param sequence: 1 to 255.
    """
    header = struct.pack("<8sH", b"Art-Net\0", OP_DMX)
    header += struct.pack(">HBB", PROTOCOL_VERSION, sequence, 0)
    header += struct.pack("<H", port_address) + struct.pack(">H", len(channels))
    return header + channels
