# SPDX-License-Identifier: Apache-2.0
"""An LED strip that receives DDP (WLED) and counts its flashes."""

from __future__ import annotations

import socket
import threading
import time

from ambient_light_driver.color.light_color import relative_luminance
from robustness.soak.flashes import FlashCounter

_HEADER_BYTES = 10


class Lamp:
    """Listen on a free port of 127.0.0.1 and keep the last colour.

    :ivar port: UDP port.
    :ivar flashes: flashes shown so far.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.flashes = FlashCounter()
        self.packets = 0
        self._last_s = -float("inf")
        self._rgb = (0, 0, 0)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="lamp", daemon=True)
        self._thread.start()

    def shows(self) -> tuple[float, tuple[int, int, int]]:
        """Return (monotonic time of the last packet [s], its first LED)."""
        with self._lock:
            return self._last_s, self._rgb

    def close(self) -> None:
        """Stop listening."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while data := self._socket.recv(2048):
            now_s = time.monotonic()
            red, green, blue = data[_HEADER_BYTES : _HEADER_BYTES + 3]
            # The strip is linear: a byte is a share of an LED's power.
            linear = (red / 255.0, green / 255.0, blue / 255.0)
            with self._lock:
                self.packets += 1
                self._last_s, self._rgb = now_s, (red, green, blue)
                self.flashes.see(now_s, linear, relative_luminance(linear))
