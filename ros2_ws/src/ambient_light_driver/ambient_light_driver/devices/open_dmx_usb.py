# SPDX-License-Identifier: Apache-2.0
"""DMX fixtures behind a serial adapter, such as Enttec Open DMX USB.

Such an adapter lacks a processor: this machine times every break and repeats every frame.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from ambient_light_driver.devices.claims import Claim
from ambient_light_driver.devices.dmx_layout import DmxConfig, dmx_universe
from ambient_light_driver.devices.light_device import LightDevice
from ambient_light_driver.devices.serial_line import SerialLine, SerialOptions
from ambient_light_driver.light_state import LightState
from fer_common.options import option

BAUD_RATE = 250_000
"""Of DMX512 (ANSI E1.11), with 8 data bits and 2 stop bits."""

BREAK_S = 0.000176
MARK_AFTER_BREAK_S = 0.000012
"""Recommended minimum of break and mark after break [s]; the system sleeps longer."""

START_CODE = b"\0"
FRAME_S = 0.023
"""Transmission time of a universe, which a driver may still buffer when it reports empty [s]."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class OpenDmxUsbConfig(DmxConfig, SerialOptions):
    """Options of :class:`OpenDmxUsbDevice`."""

    max_rate_hz: float = option(
        30.0, "Most universes per second; DMX itself carries 44.", minimum=0.1, maximum=40.0
    )
    refresh_s: float = option(
        0.1,
        "Time after which an unchanged universe is sent again; fixtures go dark without [s].",
        minimum=0.025,
        maximum=1.0,
    )
    baud_rate: int = option(
        BAUD_RATE, "Bits per second of DMX.", minimum=BAUD_RATE, maximum=BAUD_RATE
    )

    def __post_init__(self) -> None:
        """Check the port and the addresses."""
        super().__post_init__()
        self.check_port()

    def claims(self) -> tuple[Claim, ...]:
        """Return the serial port."""
        return self.port_claims()


class OpenDmxUsbDevice(LightDevice[OpenDmxUsbConfig]):
    """Write one universe per frame, each after a break."""

    config_type = OpenDmxUsbConfig

    def __init__(self, name: str, config: OpenDmxUsbConfig) -> None:
        super().__init__(name, config)
        self._line = SerialLine(config, stop_bits=2)

    @property
    def remark(self) -> str:
        """Warning about the timing of the signal."""
        return (
            "this machine times the DMX signal: under load, fixtures may flicker or ignore "
            "frames; an interface with a processor (dmx_usb_pro) does not"
        )

    def open(self) -> None:
        """Open the serial port."""
        self._line.open()
        _logger.warning("device %s: %s", self.name, self.remark)

    def send(self, state: LightState) -> None:
        """Send the whole universe after a break."""
        self._line.send_break(BREAK_S, MARK_AFTER_BREAK_S)
        self._line.write(START_CODE + dmx_universe(state.color, self.config))
        time.sleep(FRAME_S)  # a break must not truncate the current transmission

    def close(self) -> None:
        """Close the serial port; fixtures lose the signal."""
        self._line.close()
