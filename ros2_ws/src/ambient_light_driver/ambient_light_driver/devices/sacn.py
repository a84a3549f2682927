# SPDX-License-Identifier: Apache-2.0
"""Lamps that receive streaming ACN (ANSI E1.31)."""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from typing import ClassVar

from ambient_light_driver.devices.network import UdpPeer
from ambient_light_driver.devices.universe_device import UniverseConfig, UniverseDevice
from ambient_light_driver.devices.universe_sender import UniverseStream
from fer_common.options import ConfigError, option

COMPONENT_ID = uuid.uuid4().bytes
"""Source id (CID), constant during the process.

Receivers that merge sources would treat a reopened device with another id as a second source, and
mix old colours with new ones."""

PORT = 5568
MAX_SOURCE_NAME_BYTES = 63
LAST_PACKETS = 2
TERMINATION_PACKETS = 3
"""Number of packets that announce the end of a stream (E1.31, 6.2.6)."""

STREAM_TERMINATED = 0x40

_ACN_IDENTIFIER = b"ASC-E1.17\0\0\0"
_VECTOR_ROOT_DATA = 4
_VECTOR_FRAME_DATA = 2
_VECTOR_SET_PROPERTY = 2
_ADDRESS_AND_DATA_TYPE = 0xA1
_START_CODE = b"\0"


@dataclass(frozen=True, kw_only=True)
class SacnConfig(UniverseConfig):
    """Options of :class:`SacnDevice`."""

    protocol: ClassVar[str] = "sacn"
    universe_range: ClassVar[tuple[int, int]] = (1, 63999)

    destination: str = option(
        "",
        "Name or IP address of the receiver; empty for E1.31 multicast to all on the network.",
    )
    universe: int = option(
        1, "E1.31 universe of fixtures that name none.", minimum=1, maximum=63999
    )
    priority: int = option(100, "E1.31 priority of this source.", minimum=0, maximum=200)
    bind_port: int = option(
        0,
        "UDP port to send from; 0 takes a free one. 5568 would catch the packets meant for a "
        "receiver on the same machine.",
        minimum=0,
        maximum=65535,
    )
    source_name: str = option("ambient_light", "Name of this source, shown by receivers.")

    def __post_init__(self) -> None:
        """Check the length of the name and the fixtures."""
        super().__post_init__()
        if len(self.source_name.encode()) > MAX_SOURCE_NAME_BYTES:
            raise ConfigError(
                f"source_name: expected at most {MAX_SOURCE_NAME_BYTES} bytes in UTF-8, got "
                f"{self.source_name!r}"
            )


@dataclass(frozen=True)
class SacnStream(UniverseStream):
    """A universe in E1.31 data packets."""

    source_name: str
    priority: int

    def packet(self, channels: bytes, sequence: int) -> bytes:
        """Return the packet that shows ``channels``."""
        return self._packet(channels, sequence, 0)

    def last_packets(self, channels: bytes, sequence: int) -> list[bytes]:
        """Return the last channels and the packets that end the stream."""
        options = [0] * LAST_PACKETS + [STREAM_TERMINATED] * TERMINATION_PACKETS
        return [self._packet(channels, sequence + i, flags) for i, flags in enumerate(options)]

    def _packet(self, channels: bytes, sequence: int, flags: int) -> bytes:
        properties = _START_CODE + channels
        property_layer = struct.pack(
            ">BBHHH", _VECTOR_SET_PROPERTY, _ADDRESS_AND_DATA_TYPE, 0, 1, len(properties)
        )
        property_layer = _with_length(property_layer + properties)
        framing = struct.pack(
            ">I64sBHBBH",
            _VECTOR_FRAME_DATA,
            self.source_name.encode(),
            self.priority,
            0,  # no synchronisation
            sequence % 256,
            flags,
            self.universe,
        )
        framing = _with_length(framing + property_layer)
        root = struct.pack(">I16s", _VECTOR_ROOT_DATA, COMPONENT_ID)
        preamble = struct.pack(">HH12s", 0x10, 0, _ACN_IDENTIFIER)
        return preamble + _with_length(root + framing)


class SacnDevice(UniverseDevice[SacnConfig]):
    """Send universes by E1.31."""

    config_type = SacnConfig

    def stream(self, universe: int, config: SacnConfig) -> SacnStream:
        """Return the stream of a universe."""
        host = config.destination or f"239.255.{universe // 256}.{universe % 256}"
        peer = UdpPeer(host, PORT, config.bind_address, config.bind_port)
        return SacnStream(peer, universe, config.source_name, config.priority)


def _with_length(layer: bytes) -> bytes:
    """Prefix a layer with its flags and length."""
    return struct.pack(">H", 0x7000 | (len(layer) + 2)) + layer
