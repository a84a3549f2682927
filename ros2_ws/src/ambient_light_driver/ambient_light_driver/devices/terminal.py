# SPDX-License-Identifier: Apache-2.0
"""Coloured swatch in the terminal, for use without a lamp."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TextIO

from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice
from ambient_light_driver.light_state import LightState
from fer_common.options import option

RESET = "\x1b[0m"
CLEAR_LINE = "\r\x1b[2K"


@dataclass(frozen=True, kw_only=True)
class TerminalConfig(DeviceConfig):
    """Options of :class:`TerminalDevice`."""

    max_rate_hz: float = option(
        15.0, "Most redraws per second; between them the newest wins.", minimum=0.1, maximum=200.0
    )
    width: int = option(24, "Width of the swatch in characters.", minimum=1, maximum=400)


class TerminalDevice(LightDevice[TerminalConfig]):
    """Draw a 24-bit colour swatch and the label on one line.

    Where the output is not a terminal, each change of the label writes one plain line.

    :param stream: where to write; standard output unless given.
    """

    config_type = TerminalConfig

    def __init__(self, name: str, config: TerminalConfig, stream: TextIO | None = None) -> None:
        super().__init__(name, config)
        self._stream = stream
        self._shown = ""

    def open(self) -> None:
        """Reset the drawing state."""
        self._shown = ""

    def send(self, state: LightState) -> None:
        """Redraw after a visible change."""
        stream = self._stream or sys.stdout
        color = "#" + "".join(f"{round(255 * value):02x}" for value in state.color.displayed_rgb())
        if not stream.isatty():
            if state.label != self._shown:
                stream.write(f"lamp: {state.label} {color}\n")
                stream.flush()
                self._shown = state.label
            return
        line = _swatch(color, self.config.width) + f" {color} {state.label}"
        if line != self._shown:
            stream.write(CLEAR_LINE + line)
            stream.flush()
            self._shown = line

    def close(self) -> None:
        """Start a new line for the prompt."""
        stream = self._stream or sys.stdout
        if self._shown and stream.isatty():
            stream.write("\n")
            stream.flush()
        self._shown = ""


def _swatch(color: str, width: int) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"\x1b[48;2;{red};{green};{blue}m{' ' * width}{RESET}"
