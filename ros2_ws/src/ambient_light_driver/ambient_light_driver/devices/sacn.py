# SPDX-License-Identifier: Apache-2.0
"""Lamps that listen to streaming ACN (ANSI E1.31)."""

from __future__ import annotations

import socket
import uuid
from dataclasses import dataclass
from typing import Any

from ambient_light_driver.devices.dmx_layout import DmxConfig, dmx_universe
from ambient_light_driver.devices.light_device import LightDevice
from ambient_light_driver.devices.optional_library import load_library
from ambient_light_driver.light_state import LightState
from fer_common.options import option

COMPONENT_ID = tuple(uuid.uuid4().bytes)
"""E1.31 source id (CID). One for the life of the process: receivers that merge sources would
take a reopened device with another id for a second source, and mix old colours with new ones."""

PORT = 5568
MULTICAST_TTL = 8
LAST_PACKETS = 2
TERMINATION_PACKETS = 3
"""E1.31 6.2.6: a source that ends its stream says so three times."""


@dataclass(frozen=True, kw_only=True)
class SacnConfig(DmxConfig):
    """Options of :class:`SacnDevice`."""

    destination: str = option(
        "", "IP address of the receiver; empty for E1.31 multicast to all on the network."
    )
    universe: int = option(1, "E1.31 universe.", minimum=1, maximum=63999)
    priority: int = option(100, "E1.31 priority of this source.", minimum=0, maximum=200)
    # It sends and does not listen: 0.0.0.0 lets the system choose the interface.
    bind_address: str = option(
        "0.0.0.0",  # nosec B104
        "IP address of the network interface to send from.",
    )
    bind_port: int = option(
        0,
        "UDP port to send from; 0 takes a free one. 5568 would catch the packets meant for a "
        "receiver on the same machine.",
        minimum=0,
        maximum=65535,
    )
    source_name: str = option("ambient_light", "Name of this source, shown by receivers.")


class SacnDevice(LightDevice[SacnConfig]):
    """Sends one universe by E1.31.

    Uses the packets of the library ``sacn``, not its sender: that one has a thread of its own
    which ends at the first network error without a word to us.
    """

    config_type = SacnConfig

    def __init__(self, name: str, config: SacnConfig) -> None:
        super().__init__(name, config)
        # Kept while the socket comes and goes: a sequence number that starts anew would be
        # discarded by receivers for up to 20 packets.
        self._packet: Any = None
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Open the socket; whether anyone listens cannot be known with E1.31."""
        config = self.config
        if self._packet is None:
            data_packet = load_library("sacn.messages.data_packet", "sacn")
            self._packet = data_packet.DataPacket(
                cid=COMPONENT_ID,
                sourceName=config.source_name,
                universe=config.universe,
                priority=config.priority,
            )
        self._packet.option_StreamTerminated = False
        new = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            new.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, MULTICAST_TTL)
            new.bind((config.bind_address, config.bind_port))
        except OSError:
            new.close()
            raise
        self._socket = new

    def send(self, state: LightState) -> None:
        """Send the whole universe in one packet."""
        self._packet.dmxData = tuple(dmx_universe(state.color, self.config))
        self._send_packet()

    def close(self) -> None:
        """End the stream; the receiver keeps or drops the last colour as it is set to."""
        if self._socket is None:
            return
        try:
            # The last colour must not get lost, and the end of the stream neither.
            for terminated in [False] * LAST_PACKETS + [True] * TERMINATION_PACKETS:
                self._packet.option_StreamTerminated = terminated
                self._send_packet()
        except OSError:
            pass  # the stream ended with the network already
        finally:
            self._socket.close()
            self._socket = None

    def _send_packet(self) -> None:
        if self._socket is None:
            raise ConnectionError("not open")
        destination = self.config.destination or self._packet.calculate_multicast_addr()
        self._socket.sendto(bytes(self._packet.getBytes()), (destination, PORT))
        self._packet.sequence_increase()
