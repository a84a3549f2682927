# SPDX-License-Identifier: Apache-2.0
"""Open DMX at one end of a pair of pseudo-terminals, which carry no break and have no speed."""

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.light_device import DeviceUnavailableError
from ambient_light_driver.devices.open_dmx_usb import OpenDmxUsbConfig, OpenDmxUsbDevice
from ambient_light_driver.light_state import LightState
from fer_common.options import ConfigError, build_config

pytest.importorskip("serial", reason="no Python module serial: Open DMX was not tested")

ORANGE = LightState(LightColor(1.0, 0.735357, 0.0, 1.0), "happiness")


def test_each_frame_is_a_start_code_and_a_universe(serial_pair, caplog):
    config = OpenDmxUsbConfig(port=str(serial_pair.port), start_address=3)
    lamp = OpenDmxUsbDevice("open_dmx_usb", config)
    lamp.open()
    assert "this machine times the DMX signal" in caplog.text
    for _ in range(2):
        lamp.send(ORANGE)
        frame = serial_pair.read(513)
        assert frame[:7] == bytes([0, 0, 0, 255, 128, 0, 0])
        assert not any(frame[7:])
    lamp.close()


def test_a_line_that_stalls_is_an_error_and_its_past_is_discarded(serial_pair, monkeypatch):
    monkeypatch.setattr("ambient_light_driver.devices.serial_line.WRITE_TIMEOUT_S", 0.1)
    serial_pair.process.send_signal(19)  # SIGSTOP: the line takes no more bytes
    lamp = OpenDmxUsbDevice("dmx", OpenDmxUsbConfig(port=str(serial_pair.port)))
    lamp.open()
    with pytest.raises(OSError):
        for _ in range(1000):
            lamp.send(ORANGE)
    lamp.close()
    serial_pair.process.send_signal(18)


def test_a_missing_port_is_refused_and_an_absent_one_is_unavailable():
    with pytest.raises(ConfigError, match=r"device\.lamp\.port: expected a serial port"):
        build_config(OpenDmxUsbConfig, {}, "device.lamp")
    lamp = OpenDmxUsbDevice("dmx", OpenDmxUsbConfig(port="/dev/no-such-port"))
    with pytest.raises(DeviceUnavailableError, match="/dev/no-such-port"):
        lamp.open()
    lamp.close()


def test_two_devices_at_one_port_have_the_same_claim():
    first, second = (OpenDmxUsbConfig(port="/dev/ttyUSB0", start_address=n) for n in (1, 100))
    assert first.claims()[0].overlaps(second.claims()[0])
