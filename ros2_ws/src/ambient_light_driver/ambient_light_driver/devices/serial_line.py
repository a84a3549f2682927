# SPDX-License-Identifier: Apache-2.0
"""A serial line that the devices on USB and UART share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ambient_light_driver.devices.light_device import DeviceUnavailableError
from ambient_light_driver.devices.optional_library import load_library
from fer_common.options import ConfigError, option

WRITE_TIMEOUT_S = 1.0


@dataclass(frozen=True, kw_only=True)
class SerialOptions:
    """Options of every device on a serial line."""

    port: str = option("", "Serial port, for example /dev/ttyUSB0.")
    baud_rate: int = option(115200, "Bits per second.", minimum=300, maximum=4_000_000)

    def check_port(self) -> None:
        """Refuse a port that was not set.

        :raises ConfigError: when it is empty.
        """
        if not self.port:
            raise ConfigError("port: expected a serial port such as /dev/ttyUSB0, got ''")


class SerialLine:
    """Writes frames to a serial port, at most one second long."""

    def __init__(self, options: SerialOptions) -> None:
        self._options = options
        self._serial: Any = None

    def open(self) -> None:
        """Open the port.

        :raises DeviceUnavailableError: when there is no such port or it is taken.
        """
        serial = load_library("serial", "pyserial")
        try:
            self._serial = serial.Serial(
                self._options.port,
                self._options.baud_rate,
                write_timeout=WRITE_TIMEOUT_S,
                exclusive=True,
            )
        except (OSError, ValueError) as error:
            raise DeviceUnavailableError(f"{self._options.port}: {error}") from error

    def write(self, frame: bytes) -> None:
        """Write a whole frame.

        :raises OSError: when the port is gone or takes no more bytes for a second.
        """
        if self._serial is None:
            raise ConnectionError(f"{self._options.port}: not open")
        self._serial.write(frame)

    def close(self) -> None:
        """Close the port; the system still sends the bytes that it has taken."""
        if self._serial is not None:
            self._serial.close()
        self._serial = None
