# SPDX-License-Identifier: Apache-2.0
"""Serial devices at one end of a pair of pseudo-terminals made by socat."""

import os
import select
import threading
import time
import tty

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.adalight import AdalightConfig, AdalightDevice
from ambient_light_driver.devices.device_worker import DeviceWorker
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


@pytest.mark.parametrize(
    ("device_type", "config_type"),
    [(AdalightDevice, AdalightConfig), (DmxUsbProDevice, DmxUsbProConfig)],
)
def test_an_unplugged_lamp_counts_as_dark(serial_pair, device_type, config_type, wait_until):
    """What gets its power from the port goes out with it."""
    device = device_type("lamp", config_type(port=str(serial_pair.port), refresh_s=0.05))
    worker = DeviceWorker(device, lambda name, status: None)
    worker.start()
    worker.post(ORANGE)
    wait_until(lambda: worker.status().sent, "the colour")
    assert worker.status().outages == 0
    serial_pair.unplug()
    wait_until(lambda: worker.status().outages == 1, "the loss to be counted")
    worker.request_stop(LightState(LightColor(0.0, 0.0, 0.0, 0.0), "off"))
    assert worker.join(10.0)


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


class Uart:
    """A serial line that knows what it has not sent.

    A pseudo-terminal has no output queue: what was written and not taken from its other end stands
    for that. Both are counted, since what was written becomes readable some time later only.
    """

    def __init__(self):
        self.reader, writer = os.openpty()
        tty.setraw(writer)
        self.port = os.ttyname(writer)
        self._writer = writer
        self._lock = threading.Lock()
        self._unsent = 0

    def count(self, written):
        with self._lock:
            self._unsent += written

    def unsent(self):
        with self._lock:
            return self._unsent

    def take(self):
        """Return what is readable by now; never wait."""
        with self._lock:
            if not select.select([self.reader], [], [], 0.0)[0]:
                return b""
            taken = os.read(self.reader, 65536)
            self._unsent -= len(taken)
            return taken

    def discard(self):
        while self.unsent():
            self.take()

    def close(self):
        os.close(self.reader)
        os.close(self._writer)


@pytest.fixture
def uart(monkeypatch):
    import serial

    line = Uart()
    write = serial.Serial.write

    def counted_write(port, data):
        line.count(len(data))  # before it can be taken
        return write(port, data)

    monkeypatch.setattr(serial.Serial, "write", counted_write)
    monkeypatch.setattr(serial.Serial, "out_waiting", property(lambda port: line.unsent()))
    monkeypatch.setattr(serial.Serial, "reset_output_buffer", lambda port: line.discard())
    yield line
    line.close()


def level(value):
    return LightState(LightColor(1.0, 1.0, 1.0, value), "test")


def test_a_line_that_stalls_plays_no_past_back(uart, monkeypatch):
    # The frame in flight stays; the next test is about discarding it.
    monkeypatch.setattr("ambient_light_driver.devices.serial_line.WRITE_TIMEOUT_S", 60.0)
    worker = DeviceWorker(
        AdalightDevice("lamp", AdalightConfig(port=uart.port)), lambda name, status: None
    )
    received = bytearray()
    flowing, ended = threading.Lock(), threading.Event()

    def read():
        while not ended.wait(0.001):
            with flowing:
                received.extend(uart.take())

    thread = threading.Thread(target=read)
    thread.start()
    worker.start()
    try:
        worker.post(level(0.1))
        while not received:
            time.sleep(0.01)
        with flowing:
            before = len(received)
            for step in range(100):
                worker.post(level(0.1 + 0.005 * step))
                time.sleep(0.02)
            newest = round(255 * (0.1 + 0.005 * 99))
        while bytes([newest] * 3) not in bytes(received):
            time.sleep(0.01)
    finally:
        worker.request_stop(level(0.0))
        worker.join(10.0)
        ended.set()
        thread.join()
    shown = bytes(received[before:]).split(b"Ada")[1:]
    levels = [frame[3] for frame in shown]
    # At most the frame in flight is of the past.
    assert [value for value in levels if value not in (newest, 0)] in ([], levels[:1])


def test_a_frame_that_was_not_sent_is_discarded_with_the_port(uart, monkeypatch):
    monkeypatch.setattr("ambient_light_driver.devices.serial_line.WRITE_TIMEOUT_S", 0.1)
    lamp = DmxUsbProDevice("lamp", DmxUsbProConfig(port=uart.port))
    lamp.open()
    with pytest.raises(TimeoutError, match=r"518 bytes were not sent within 0\.1 s"):
        lamp.send(ORANGE)
    lamp.close()
    assert uart.unsent() == 0


def test_the_last_frame_is_not_lost_where_the_other_end_reads_late():
    reader, writer = os.openpty()  # held open: its name stays valid
    tty.setraw(writer)
    for _ in range(20):
        lamp = AdalightDevice("lamp", AdalightConfig(port=os.ttyname(writer), led_count=3))
        lamp.open()
        lamp.send(level(1.0))
        lamp.send(level(0.0))
        lamp.close()
        received = b""
        while not received.endswith(bytes(9)) and select.select([reader], [], [], 1.0)[0]:
            received += os.read(reader, 65536)
        assert received.count(b"Ada") == 2 and received.endswith(bytes(9))
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("config_type", [AdalightConfig, DmxUsbProConfig])
def test_a_missing_port_is_refused_by_its_key(config_type):
    with pytest.raises(ConfigError, match=r"device\.lamp\.port: expected a serial port"):
        build_config(config_type, {}, "device.lamp")


def test_an_led_has_three_to_five_bytes():
    with pytest.raises(ConfigError, match=r"lamp\.channel_order: expected three channels"):
        build_config(AdalightConfig, {"port": "x", "channel_order": "RG"}, "lamp")


def test_leds_with_white_have_four_bytes_each(serial_pair):
    config = AdalightConfig(port=str(serial_pair.port), led_count=2, channel_order="RGBW")
    lamp = AdalightDevice("adalight", config)
    lamp.open()
    lamp.send(LightState(LightColor(1.0, 1.0, 1.0, 1.0), "neutral"))
    assert serial_pair.read(6 + 8) == b"Ada\x00\x01\x54" + bytes([0, 0, 0, 255]) * 2
    lamp.close()


@pytest.mark.parametrize("dtr", [True, False])
def test_a_board_that_restarts_with_dtr_can_be_left_alone(serial_pair, monkeypatch, dtr):
    import serial

    levels = []
    # A pseudo-terminal has no such line: what is asked of the system is all that can be seen.
    monkeypatch.setattr(serial.Serial, "_update_dtr_state", lambda s: levels.append(s.dtr))
    lamp = AdalightDevice("adalight", AdalightConfig(port=str(serial_pair.port), dtr=dtr))
    lamp.open()
    lamp.close()
    assert levels and set(levels) == {dtr}


def test_devices_at_one_port_have_the_same_claim():
    configs = AdalightConfig(port="/dev/x"), DmxUsbProConfig(port="/dev/x")
    assert configs[0].claims() == configs[1].claims() != ()
