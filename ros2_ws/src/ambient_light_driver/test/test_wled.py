# SPDX-License-Identifier: Apache-2.0
"""WLED against a local server that holds requests to the documented contract.

WLED is firmware and cannot run here. The contract: https://kno.wled.ge/interfaces/json-api/
"""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.wled import WledConfig, WledDevice
from ambient_light_driver.light_state import SWITCHED_OFF, LightState
from fer_common.options import ConfigError, build_config

ORANGE = LightState(LightColor(1.0, 0.735357, 0.0, 0.5), "happiness")
ALLOWED = {"on": bool, "bri": int, "transition": int, "seg": list}


def breach_of_contract(state):
    """Return what is wrong with a body sent to /json/state, or an empty text."""
    for key, value in state.items():
        if key not in ALLOWED or type(value) is not ALLOWED[key]:
            return f"{key}: {value!r}"
    if not 0 <= state.get("bri", 1) <= 255 or not 0 <= state.get("transition", 0) <= 65535:
        return "range"
    for segment in state.get("seg", []):
        for color in segment["col"]:
            if len(color) not in (3, 4) or not all(0 <= c <= 255 for c in color):
                return f"col: {color!r}"
    return ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        state = json.loads(body)
        breach = breach_of_contract(state)
        if self.path != "/json/state" or breach:
            self.send_error(400, breach)
            return
        self.server.states.append(state)
        answer = b'{"success":true}'
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


@pytest.fixture
def wled():
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.states = []
    server.status = 200
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def device(port, **options):
    return WledDevice("wled", WledConfig(host="127.0.0.1", http_port=port, **options))


def test_json_sets_color_and_brightness_and_darkness_switches_off(wled):
    lamp = device(wled.server_port)
    lamp.open()
    lamp.send(ORANGE)
    lamp.send(SWITCHED_OFF)
    lamp.close()
    lit, dark = wled.states
    assert (lit["on"], lit["bri"], lit["seg"][0]["col"]) == (True, 128, [[255, 188, 0]])
    assert dark["on"] is False


def test_an_answer_that_refuses_is_an_error(wled):
    wled.status = 503
    lamp = device(wled.server_port)
    lamp.open()
    with pytest.raises(ConnectionError, match="WLED answers 503"):
        lamp.send(ORANGE)
    lamp.close()


def test_a_controller_that_accepts_and_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr("ambient_light_driver.devices.wled.ANSWER_TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        lamp = device(silent.getsockname()[1])
        lamp.open()
        with pytest.raises(TimeoutError):
            lamp.send(ORANGE)
        lamp.close()


def test_nobody_at_the_port_is_an_error(free_tcp_port):
    lamp = device(free_tcp_port())
    with pytest.raises(ConnectionRefusedError):
        lamp.open()
    lamp.close()


def test_ddp_packets_cover_all_leds_and_the_last_one_shows_them():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as controller:
        controller.bind(("127.0.0.1", 0))
        controller.settimeout(10.0)
        port = controller.getsockname()[1]
        lamp = device(80, protocol="ddp", ddp_port=port, led_count=500, channel_order="GRB")
        lamp.open()
        lamp.send(ORANGE)
        first, second = controller.recv(65536), controller.recv(65536)
        lamp.close()
    # flags, sequence, RGB of 8 bit, default output, offset (4 bytes), length (2 bytes)
    assert first[:10] == bytes([0x40, 1, 0x0B, 1, 0, 0, 0, 0, 0x05, 0xA0])
    assert second[:10] == bytes([0x41, 2, 0x0B, 1, 0, 0, 0x05, 0xA0, 0, 60])
    assert first[10:] == bytes([64, 128, 0]) * 480
    assert second[10:] == bytes([64, 128, 0]) * 20


def test_a_missing_host_is_refused_by_its_key():
    with pytest.raises(ConfigError, match=r"device\.lamp\.host: expected the controller's name"):
        build_config(WledConfig, {}, "device.lamp")
