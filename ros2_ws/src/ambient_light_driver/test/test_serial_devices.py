# SPDX-License-Identifier: Apache-2.0
"""Serial devices at one end of a pair of pseudo-terminals made by socat."""

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.adalight import AdalightConfig, AdalightDevice
from ambient_light_driver.devices.dmx_usb_pro import DmxUsbProConfig, DmxUsbProDevice
from ambient_light_driver.devices.light_device import DeviceUnavailableError
from ambient_light_driver.light_state import LightState
from fer_common.options import ConfigError, build_config

pytest.importorskip("serial", reason="no Python module serial: serial lamps were not tested")

ORANGE = LightState(LightColor(1.0, 0.735357, 0.0, 1.0), "happiness")


def test_adalight_frames_arrive_byte_by_byte(serial_pair):
    config = AdalightConfig(port=str(serial_pair.port), led_count=300, channel_order="GRB")
    lamp = AdalightDevice("adalight", config)
    lamp.open()
    lamp.send(ORANGE)
    frame = serial_pair.read(6 + 900)
    assert frame[:6] == b"Ada\x01\x2b" + bytes([0x01 ^ 0x2B ^ 0x55])
    assert frame[6:] == bytes([128, 255, 0]) * 300
    lamp.close()


def test_dmx_usb_pro_frames_arrive_byte_by_byte(serial_pair):
    config = DmxUsbProConfig(port=str(serial_pair.port), start_address=3)
    lamp = DmxUsbProDevice("dmx_usb_pro", config)
    lamp.open()
    lamp.send(ORANGE)
    frame = serial_pair.read(5 + 512 + 1)
    assert frame[:4] == bytes([0x7E, 6, 0x01, 0x02])
    assert frame[4:11] == bytes([0, 0, 0, 255, 128, 0, 0])
    assert frame[-1] == 0xE7
    lamp.close()


def test_an_unplugged_port_is_an_error_and_can_be_closed(serial_pair):
    lamp = AdalightDevice("adalight", AdalightConfig(port=str(serial_pair.port)))
    lamp.open()
    serial_pair.unplug()
    with pytest.raises(OSError):
        for _ in range(1000):
            lamp.send(ORANGE)
    lamp.close()
    with pytest.raises(DeviceUnavailableError, match=str(serial_pair.port)):
        lamp.open()


def test_a_port_whose_other_end_does_not_read_does_not_hold_the_lamp_up(serial_pair, monkeypatch):
    monkeypatch.setattr("ambient_light_driver.devices.serial_line.WRITE_TIMEOUT_S", 0.1)
    serial_pair.process.send_signal(19)  # SIGSTOP: the line takes no more bytes
    lamp = AdalightDevice("adalight", AdalightConfig(port=str(serial_pair.port), led_count=5000))
    lamp.open()
    with pytest.raises(OSError, match="[Tt]imeout"):
        for _ in range(100):
            lamp.send(ORANGE)
    lamp.close()
    serial_pair.process.send_signal(18)


@pytest.mark.parametrize("config_type", [AdalightConfig, DmxUsbProConfig])
def test_a_missing_port_is_refused_by_its_key(config_type):
    with pytest.raises(ConfigError, match=r"device\.lamp\.port: expected a serial port"):
        build_config(config_type, {}, "device.lamp")


def test_adalight_has_three_bytes_for_an_led():
    with pytest.raises(ConfigError, match=r"lamp\.channel_order: expected three letters"):
        build_config(AdalightConfig, {"port": "x", "channel_order": "RGBW"}, "lamp")
