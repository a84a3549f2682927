# SPDX-License-Identifier: Apache-2.0
"""DMX fixtures behind an interface that speaks Enttec's DMX USB Pro protocol."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ambient_light_driver.devices.claims import Claim
from ambient_light_driver.devices.dmx_layout import DmxConfig, dmx_universe
from ambient_light_driver.devices.light_device import LightDevice
from ambient_light_driver.devices.serial_line import SerialLine, SerialOptions
from ambient_light_driver.light_state import LightState
from fer_common.options import option

START_OF_MESSAGE = 0x7E
END_OF_MESSAGE = 0xE7
SEND_DMX = 6
START_CODE = b"\0"


@dataclass(frozen=True, kw_only=True)
class DmxUsbProConfig(DmxConfig, SerialOptions):
    """Options of :class:`DmxUsbProDevice`."""

    max_rate_hz: float = option(
        40.0, "Most universes per second; DMX itself carries 44.", minimum=0.1, maximum=44.0
    )
    baud_rate: int = option(
        57600, "Bits per second; USB interfaces ignore it.", minimum=300, maximum=4_000_000
    )

    def __post_init__(self) -> None:
        """Check the port and the addresses."""
        super().__post_init__()
        self.check_port()

    def claims(self) -> tuple[Claim, ...]:
        """Return the serial port."""
        return self.port_claims()


class DmxUsbProDevice(LightDevice[DmxUsbProConfig]):
    """Writes one universe per frame."""

    config_type = DmxUsbProConfig
    dark_when_lost = False

    def __init__(self, name: str, config: DmxUsbProConfig) -> None:
        super().__init__(name, config)
        self._line = SerialLine(config)

    def open(self) -> None:
        """Open the serial port."""
        self._line.open()

    def send(self, state: LightState) -> None:
        """Send the whole universe."""
        self._line.write(send_dmx_frame(dmx_universe(state.color, self.config)))

    def close(self) -> None:
        """Close the serial port; the interface repeats the last colour."""
        self._line.close()


def send_dmx_frame(channels: bytes) -> bytes:
    """Return the message 'output only send DMX packet' for ``channels``."""
    data = START_CODE + channels
    header = struct.pack("<BBH", START_OF_MESSAGE, SEND_DMX, len(data))
    return header + data + bytes([END_OF_MESSAGE])
