# SPDX-License-Identifier: Apache-2.0
"""OpenRGB against a local server that holds requests to the documented contract.

The real server drives hardware and is not a Debian package. The contract:
Documentation/OpenRGBSDK.md of OpenRGB, protocol version 0.
"""

import contextlib
import socket
import struct
import threading

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.claims import overlaps_within
from ambient_light_driver.devices.light_device import DeviceUnavailableError
from ambient_light_driver.devices.openrgb import OpenRgbConfig, OpenRgbDevice, parse_controller
from ambient_light_driver.light_state import SWITCHED_OFF, LightState
from fer_common.options import ConfigError, build_config

ORANGE = LightState(LightColor(1.0, 0.735357, 0.0, 0.5), "happiness")
HEADER = struct.Struct("<4sIII")


def text(value):
    return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"


def controller_data(name, led_count, matrix=b"", serial="SN-1", location="HID: /dev/hidraw0"):
    """Two modes, one of them with two colours; one zone, with a matrix for a keyboard."""
    modes = text("Direct") + struct.pack("<i8I", 0, 32, 0, 0, 0, 0, 0, 0, 1)
    modes += struct.pack("<H", 0)
    modes += text("Breathing") + struct.pack("<i8I", 1, 96, 0, 9, 1, 2, 5, 0, 2)
    modes += struct.pack("<H2I", 2, 0x0000FF, 0x00FF00)
    zone = text("Zone") + struct.pack("<i3I", 1, 1, 255, led_count)
    zone += struct.pack("<H", len(matrix)) + matrix
    body = struct.pack("<i", 5) + text(name)
    body += b"".join(map(text, ("An LED thing", "1.0", serial, location)))
    body += struct.pack("<Hi", 2, 1) + modes + struct.pack("<H", 1) + zone
    body += struct.pack("<H", led_count)
    body += b"".join(text(f"LED {i}") + struct.pack("<I", i) for i in range(led_count))
    body += struct.pack("<H", led_count) + bytes(4 * led_count)
    return struct.pack("<I", len(body) + 4) + body


KEYBOARD = controller_data("Keyboard", 6, struct.pack("<8I", 2, 3, 0, 1, 2, 3, 4, 5))
STRIP = controller_data("LED Strip", 3)


class Server:
    """Answer clients, a thread each; ``breaches`` holds what broke the contract."""

    def __init__(self, controllers):
        self.controllers = controllers
        self.leds = {}
        self.custom = set()
        self.breaches = []
        self.before_answer = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with (
            connection,
            connection.makefile("rb") as stream,
            contextlib.suppress(ConnectionResetError),
        ):
            while header := stream.read(HEADER.size):
                magic, index, kind, size = HEADER.unpack(header)
                answer = self._answer(magic, index, kind, stream.read(size))
                if answer is not None:
                    packet = HEADER.pack(b"ORGB", index, kind, len(answer)) + answer
                    connection.sendall(self.before_answer + packet)

    def _answer(self, magic, index, kind, data):
        if magic != b"ORGB":
            self.breaches.append(f"magic {magic!r}")
        if kind == 0 and not data:
            return struct.pack("<I", len(self.controllers))
        if kind == 1 and not data:
            return self.controllers[index]
        if kind == 1100 and not data:
            self.custom.add(index)
        elif kind == 1050:
            size, count = struct.unpack_from("<IH", data)
            if size != len(data) or size != 6 + 4 * count or index not in self.custom:
                self.breaches.append(f"LEDs of {index}: {data!r}")
            self.leds[index] = [tuple(data[6 + 4 * i : 10 + 4 * i]) for i in range(count)]
        elif not (kind == 50 and data.endswith(b"\0")):
            self.breaches.append(f"kind {kind}: {data!r}")
        return None


@pytest.fixture
def server():
    server = Server([KEYBOARD, STRIP])
    yield server
    server.stop()
    assert not server.breaches


def device(port, name="pc", **options):
    return OpenRgbDevice(name, OpenRgbConfig(sdk_port=port, **options))


def test_all_leds_of_all_controllers_show_the_color(server):
    lamp = device(server.port)
    lamp.open()
    lamp.send(ORANGE)
    assert server.leds == {0: [(128, 64, 0, 0)] * 6, 1: [(128, 64, 0, 0)] * 3}
    lamp.send(SWITCHED_OFF)
    assert server.leds == {0: [(0, 0, 0, 0)] * 6, 1: [(0, 0, 0, 0)] * 3}
    lamp.close()


def test_a_controller_is_chosen_by_a_part_of_its_name(server):
    lamp = device(server.port, controller="strip", channel_order="GRB")
    lamp.open()
    lamp.send(ORANGE)
    lamp.close()
    assert server.leds == {1: [(64, 128, 0, 0)] * 3}


@pytest.mark.parametrize("controller", ["#2", "sn-b", "hidraw7"])
def test_controllers_of_equal_names_differ_by_index_serial_and_location(server, controller):
    server.controllers = [
        KEYBOARD,
        controller_data("RAM", 3, serial="SN-A", location="I2C: 0x52"),
        controller_data("RAM", 3, serial="SN-B", location="HID: /dev/hidraw7"),
    ]
    lamp = device(server.port, controller=controller)
    lamp.open()
    lamp.send(ORANGE)
    lamp.close()
    assert server.leds.keys() == {2}


def test_two_devices_on_one_controller_are_refused_with_both_names(server):
    """Their names do not reveal it before the server responds."""
    first, second = device(server.port, "desk"), device(server.port, "wall", controller="strip")
    first.open()
    with pytest.raises(DeviceUnavailableError, match="desk and wall both drive #1 'LED Strip'"):
        second.open()
    second.close()
    first.close()
    second.open()
    second.close()
    claims = {name: OpenRgbConfig(controller=name).claims() for name in ("", "#1")}
    assert overlaps_within(claims).keys() == {"#1"}


def test_an_unknown_controller_is_refused_with_those_that_are_there(server):
    lamp = device(server.port, controller="mouse")
    with pytest.raises(DeviceUnavailableError, match="'mouse' describes; it has #0 'Keyboard'"):
        lamp.open()
    lamp.close()


def test_a_changed_list_of_controllers_makes_the_device_open_anew(server):
    lamp = device(server.port)
    lamp.open()
    server.before_answer = HEADER.pack(b"ORGB", 0, 100, 0)
    with pytest.raises(ConnectionError, match="list of controllers has changed"):
        lamp.send(ORANGE)
    lamp.close()


def test_packets_that_nobody_asked_for_are_skipped(server):
    server.before_answer = HEADER.pack(b"ORGB", 0, 51, 3) + b"PC\0"
    lamp = device(server.port)
    lamp.open()
    lamp.send(ORANGE)
    lamp.close()
    assert len(server.leds) == 2


def test_a_server_of_something_else_is_recognised(server):
    server.before_answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    lamp = device(server.port)
    with pytest.raises(ConnectionError, match="does not speak OpenRGB's protocol"):
        lamp.open()
    lamp.close()


@pytest.mark.parametrize("size", [0, 5, 60, 150])
def test_a_description_that_ends_early_is_an_error(size):
    with pytest.raises(ConnectionError, match="controller 3 incompletely"):
        parse_controller(3, STRIP[:size])


def test_a_server_that_accepts_and_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr("ambient_light_driver.devices.openrgb.ANSWER_TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        lamp = device(silent.getsockname()[1])
        with pytest.raises(TimeoutError):
            lamp.open()
        lamp.close()


def test_channels_that_are_no_led_are_refused_by_their_key():
    with pytest.raises(ConfigError, match="channel_order: expected three letters for OpenRGB"):
        build_config(OpenRgbConfig, {"channel_order": "RGBW"}, "device.pc")
    with pytest.raises(ConfigError, match="controller: expected a number after #"):
        build_config(OpenRgbConfig, {"controller": "#two"}, "device.pc")
