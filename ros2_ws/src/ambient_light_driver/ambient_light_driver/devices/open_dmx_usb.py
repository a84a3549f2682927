# SPDX-License-Identifier: Apache-2.0
"""DMX fixtures behind a plain USB serial adapter (Enttec Open DMX USB and its likes).

Such an adapter has no processor: this machine times every break and must repeat every frame.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from ambient_light_driver.devices.claims import Claim, local_resource
from ambient_light_driver.devices.dmx_layout import DmxConfig, dmx_universe
from ambient_light_driver.devices.light_device import DeviceUnavailableError, LightDevice
from ambient_light_driver.devices.optional_library import load_library
from ambient_light_driver.devices.serial_line import SerialOptions
from ambient_light_driver.light_state import LightState
from fer_common.options import option

BAUD_RATE = 250_000
"""Of DMX512 (ANSI E1.11), with 8 data bits and 2 stop bits."""

BREAK_S = 0.000176
MARK_AFTER_BREAK_S = 0.000012
"""Shortest break and mark after break that a sender should make [s]; the system sleeps longer."""

START_CODE = b"\0"
DRAIN_TIMEOUT_S = 0.5
DRAIN_POLL_S = 0.001
FRAME_S = 0.023
"""Time of a whole universe on the line, which a driver may still hold when it looks empty [s]."""

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
        return (Claim(local_resource("serial", self.port)),)


class OpenDmxUsbDevice(LightDevice[OpenDmxUsbConfig]):
    """Writes one universe per frame, each after a break."""

    config_type = OpenDmxUsbConfig

    def __init__(self, name: str, config: OpenDmxUsbConfig) -> None:
        super().__init__(name, config)
        self._serial: Any = None

    def open(self) -> None:
        """Open the serial port.

        :raises DeviceUnavailableError: when there is no such port or it is taken.
        """
        serial = load_library("serial", "pyserial")
        port = self.config.port
        try:
            self._serial = serial.Serial(
                port,
                BAUD_RATE,
                stopbits=serial.STOPBITS_TWO,
                write_timeout=DRAIN_TIMEOUT_S,
                exclusive=True,
            )
        except (OSError, ValueError) as error:
            raise DeviceUnavailableError(f"{port}: {error}") from error
        _logger.warning(
            "device %s: this machine times the DMX signal on %s; under load, fixtures may flicker "
            "or ignore frames; an interface with a processor (dmx_usb_pro) does not",
            self.name,
            port,
        )

    def send(self, state: LightState) -> None:
        """Send the whole universe, and return when it has left this machine.

        :raises OSError: when the port is gone or takes no more bytes.
        """
        if self._serial is None:
            raise ConnectionError(f"{self.config.port}: not open")
        self._serial.break_condition = True
        time.sleep(BREAK_S)
        self._serial.break_condition = False
        time.sleep(MARK_AFTER_BREAK_S)
        self._serial.write(START_CODE + dmx_universe(state.color, self.config))
        end_s = time.monotonic() + DRAIN_TIMEOUT_S
        while self._serial.out_waiting:
            if time.monotonic() > end_s:
                raise TimeoutError(f"{self.config.port}: takes no more bytes")
            time.sleep(DRAIN_POLL_S)
        time.sleep(FRAME_S)  # a break must not cut off what the adapter still sends

    def close(self) -> None:
        """Discard what is queued and close the port; fixtures lose the signal."""
        if self._serial is not None:
            try:
                self._serial.reset_output_buffer()
            finally:
                self._serial.close()
        self._serial = None
