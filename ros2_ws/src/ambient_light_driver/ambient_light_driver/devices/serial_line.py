# SPDX-License-Identifier: Apache-2.0
"""Serial line of devices on USB and UART."""

from __future__ import annotations

import termios
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ambient_light_driver.devices.claims import Claim, local_resource
from ambient_light_driver.devices.light_device import DeviceUnavailableError
from ambient_light_driver.devices.optional_library import load_library
from fer_common.options import ConfigError, option

WRITE_TIMEOUT_S = 1.0
"""Timeout for queueing a frame, and then for sending it [s]."""

_BITS_PER_BYTE = 10
_LONGEST_POLL_S = 0.02


@dataclass(frozen=True, kw_only=True)
class SerialOptions:
    """Options of serial devices."""

    port: str = option("", "Serial port, for example /dev/ttyUSB0.")
    baud_rate: int = option(115200, "Bits per second.", minimum=300, maximum=4_000_000)

    dtr: bool = option(
        True, "Raise DTR while the port is open; some boards restart when it rises."
    )

    def port_claims(self) -> tuple[Claim, ...]:
        """Return the claim on the whole port."""
        return (Claim(local_resource("serial", self.port)),)

    def check_port(self) -> None:
        """Refuse an empty port.

        :raises ConfigError: when it is empty.
        """
        if not self.port:
            raise ConfigError("port: expected a serial port such as /dev/ttyUSB0, got ''")


class SerialLine:
    """Write frames to a serial port, one at a time.

    A stalled port holds at most one frame and never replays old ones.
    """

    def __init__(self, options: SerialOptions, stop_bits: int = 1) -> None:
        self._options = options
        self._stop_bits = stop_bits
        self._serial: Any = None
        self._is_stalled = False

    def open(self) -> None:
        """Open the port.

        :raises DeviceUnavailableError: when the port does not exist or is in use.
        """
        serial = load_library("serial", "python3-serial", "pyserial")
        try:
            self._serial = serial.Serial(
                None,
                self._options.baud_rate,
                stopbits=self._stop_bits,
                write_timeout=WRITE_TIMEOUT_S,
                exclusive=True,
            )
            self._serial.port = self._options.port
            self._serial.dtr = self._options.dtr
            self._serial.open()
        except (OSError, ValueError) as error:
            raise DeviceUnavailableError(f"{self._options.port}: {error}") from error

    def write(self, frame: bytes) -> None:
        """Write a frame and wait until it is sent.

        :raises OSError: when the port is gone or sends nothing for a second.
        """
        if self._serial is None:
            raise ConnectionError(f"{self._options.port}: not open")
        self._is_stalled = True  # until the frame is sent
        self._serial.write(frame)
        end_s = time.monotonic() + WRITE_TIMEOUT_S
        while waiting := self._serial.out_waiting:
            if time.monotonic() > end_s:
                raise TimeoutError(
                    f"{self._options.port}: {waiting} bytes were not sent within "
                    f"{WRITE_TIMEOUT_S:g} s; check the cable and what reads it"
                )
            time.sleep(min(waiting * _BITS_PER_BYTE / self._options.baud_rate, _LONGEST_POLL_S))
        self._is_stalled = False

    def send_break(self, break_s: float, mark_s: float) -> None:
        """Hold the line at 0 for ``break_s``, then at 1 for ``mark_s``.

        :raises OSError: when the port is gone.
        """
        if self._serial is None:
            raise ConnectionError(f"{self._options.port}: not open")
        self._serial.break_condition = True
        time.sleep(break_s)
        self._serial.break_condition = False
        time.sleep(mark_s)

    def close(self) -> None:
        """Close the port; discard a frame that could not be sent."""
        if self._serial is not None:
            # Only then: at a pseudo-terminal, sent frames that are not yet read would be lost too.
            if self._is_stalled:
                with suppress(OSError, termios.error):  # the port has disappeared
                    self._serial.reset_output_buffer()
            self._serial.close()
        self._serial, self._is_stalled = None, False
