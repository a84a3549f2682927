# SPDX-License-Identifier: Apache-2.0
"""Lamps that receive Art-Net 4 (Artistic Licence, https://art-net.org.uk)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar

from ambient_light_driver.devices.network import UdpPeer
from ambient_light_driver.devices.universe_device import UniverseConfig, UniverseDevice
from ambient_light_driver.devices.universe_sender import UniverseStream
from fer_common.options import ConfigError, option

PORT = 6454
OP_DMX = 0x5000
PROTOCOL_VERSION = 14


@dataclass(frozen=True, kw_only=True)
class ArtnetConfig(UniverseConfig):
    """Options of :class:`ArtnetDevice`."""

    protocol: ClassVar[str] = "artnet"
    universe_range: ClassVar[tuple[int, int]] = (0, 32767)

    destination: str = option(
        "127.0.0.1", "Name or IP address of the Art-Net node, or a broadcast address."
    )
    universe: int = option(
        0,
        "Art-Net port address of fixtures that name none: net * 256 + sub-net * 16 + universe.",
        minimum=0,
        maximum=32767,
    )

    def __post_init__(self) -> None:
        """Check the destination and the fixtures."""
        super().__post_init__()
        if not self.destination:
            raise ConfigError(
                "destination: expected the Art-Net node's name or IP address, or the network's "
                "broadcast address, got ''"
            )


@dataclass(frozen=True)
class ArtnetStream(UniverseStream):
    """A universe in ArtDmx packets."""

    def packet(self, channels: bytes, sequence: int) -> bytes:
        """Return the packet that shows ``channels``."""
        # 1 to 255; 0 disables the node's reordering of packets.
        return art_dmx(channels, self.universe, sequence % 255 + 1)


class ArtnetDevice(UniverseDevice[ArtnetConfig]):
    """Send universes by Art-Net."""

    config_type = ArtnetConfig

    def stream(self, universe: int, config: ArtnetConfig) -> ArtnetStream:
        """Return the stream of a universe."""
        return ArtnetStream(UdpPeer(config.destination, PORT, config.bind_address), universe)


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
