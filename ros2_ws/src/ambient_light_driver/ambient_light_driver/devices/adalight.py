# SPDX-License-Identifier: Apache-2.0
"""LED strips behind a microcontroller with Adalight over a serial line."""

from __future__ import annotations

from dataclasses import dataclass

from ambient_light_driver.devices.claims import Claim
from ambient_light_driver.devices.dmx_layout import ChannelConfig, fixture_channels
from ambient_light_driver.devices.light_device import LightDevice
from ambient_light_driver.devices.serial_line import SerialLine, SerialOptions
from ambient_light_driver.light_state import LightState
from fer_common.options import ConfigError, option

BYTES_PER_LED = (3, 4, 5)
"""RGB, RGBW, or RGB with warm and cold white."""


@dataclass(frozen=True, kw_only=True)
class AdalightConfig(ChannelConfig, SerialOptions):
    """Options of :class:`AdalightDevice`."""

    led_count: int = option(1, "Number of LEDs; all show the same.", minimum=1, maximum=65536)

    def __post_init__(self) -> None:
        """Check the port and the channels of an LED."""
        super().__post_init__()
        self.check_port()
        if self.mode.size not in BYTES_PER_LED:
            raise ConfigError(
                "channel_order: expected three channels for Adalight, or four or five for "
                f"firmware that reads as many for each LED, got {self.channel_order!r}"
            )

    def claims(self) -> tuple[Claim, ...]:
        """Return the serial port."""
        return self.port_claims()


class AdalightDevice(LightDevice[AdalightConfig]):
    """Write one frame for all LEDs."""

    config_type = AdalightConfig

    def __init__(self, name: str, config: AdalightConfig) -> None:
        super().__init__(name, config)
        self._line = SerialLine(config)

    def open(self) -> None:
        """Open the serial port."""
        self._line.open()

    def send(self, state: LightState) -> None:
        """Show the colour on all LEDs."""
        led = fixture_channels(state.color, self.config)
        self._line.write(adalight_frame(led, self.config.led_count))

    def close(self) -> None:
        """Close the serial port; the LEDs keep the last colour."""
        self._line.close()


def adalight_frame(led: bytes, count: int) -> bytes:
    """Return the frame for equal LEDs: magic, count - 1, check, data.

    :param led: the bytes of one LED.
    :param count: number of LEDs, 1 to 65536.
    """
    high, low = divmod(count - 1, 256)
    return b"Ada" + bytes([high, low, high ^ low ^ 0x55]) + led * count
