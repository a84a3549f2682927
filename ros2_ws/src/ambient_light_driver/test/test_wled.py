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
from ambient_light_driver.devices.claims import overlaps_within
from ambient_light_driver.devices.device_worker import DevicePhase, DeviceWorker
from ambient_light_driver.devices.wled import WledConfig, WledDevice
from ambient_light_driver.light_state import SWITCHED_OFF, LightState
from fer_common.options import ConfigError, build_config

ORANGE = LightState(LightColor(1.0, 0.735357, 0.0, 0.5), "happiness")
ALLOWED = {
    "on": bool,
    "bri": int,
    "tt": int,
    "seg": dict,
    "live": bool,
    "playlist": dict,
    "nl": dict,
}
ALLOWED_SEGMENT = {"id": int, "on": bool, "bri": int, "fx": int, "col": list}


def breach_of_contract(state):
    """Return the fault of a /json/state body, or an empty string."""
    for body, allowed in ((state, ALLOWED), (state.get("seg", {}), ALLOWED_SEGMENT)):
        for key, value in body.items():
            if key not in allowed or type(value) is not allowed[key]:
                return f"{key}: {value!r}"
        if not 0 <= body.get("bri", 1) <= 255:
            return "bri"
    if state.get("tt", 7) != 0:
        return "a fade of its own, by WLED's setting or by ours"
    for color in state.get("seg", {}).get("col", []):
        if len(color) not in (3, 4) or not all(0 <= c <= 255 for c in color):
            return f"col: {color!r}"
    return ""


class Segments:
    """What a controller with three segments shows: 0 and 1 are selected, 1 is off, 2 is not."""

    def __init__(self):
        self.on, self.bri, self.live = False, 128, False
        self.playlist, self.nightlight = -1, False
        self.segments = [
            {"id": i, "sel": i < 2, "on": i != 1, "bri": 255, "fx": 9, "col": [[0, 0, 9]]}
            for i in range(3)
        ]

    def apply(self, state):
        self.live = state.get("live", self.live)
        if "playlist" in state:  # which replaces the running one, also an empty one
            self.playlist = 0 if state["playlist"].get("ps") else -1
        self.nightlight = state.get("nl", {}).get("on", self.nightlight)
        self.bri = state.get("bri", self.bri)
        self.on = state.get("on", self.bri > 0 if "bri" in state else self.on)
        if change := dict(state.get("seg", {})):
            number = change.pop("id", None)
            for segment in self.segments:
                if segment["sel"] if number is None else segment["id"] == number:
                    segment.update(change)

    def light(self):
        """Return brightness and colour of each segment; 0 where it is dark."""
        return [
            (self.bri * s["bri"] // 255, *s["col"][0]) if self.on and s["on"] else 0
            for s in self.segments
        ]

    def report(self):
        timer = {"on": self.nightlight}
        light = {"on": self.on, "bri": self.bri, "seg": self.segments}
        return {**light, "pl": self.playlist, "nl": timer}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        state = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        breach = breach_of_contract(state)
        if self.path != "/json/state" or breach:
            self.send_error(400, breach)
            return
        self.server.states.append(state)
        self.server.wled.apply(state)
        self.answer({"success": True})

    def do_GET(self):
        self.answer(self.server.wled.report())

    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.states = []
    server.wled = Segments()
    server.status = 200
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def device(port, **options):
    return WledDevice("wled", WledConfig(host="127.0.0.1", http_port=port, **options))


def test_all_selected_segments_show_the_color_and_go_dark(server):
    lamp = device(server.server_port)
    lamp.open()
    lamp.send(ORANGE)
    assert server.wled.light() == [(128, 255, 188, 0)] * 2 + [(128, 0, 0, 9)]
    assert [s["fx"] for s in server.wled.segments] == [0, 0, 9]
    lamp.send(SWITCHED_OFF)
    lamp.close()
    assert server.wled.light() == [0, 0, 0]


@pytest.mark.parametrize("protocol", ["json", "ddp"])
def test_a_playlist_and_a_nightlight_do_not_change_the_light_again(server, protocol):
    server.wled.playlist, server.wled.nightlight = 7, True
    lamp = device(server.server_port, protocol=protocol)
    lamp.open()
    lamp.send(ORANGE)
    if protocol == "ddp":  # the stream goes first; they would go on after it
        lamp.close()
    assert (server.wled.playlist, server.wled.nightlight) == (-1, False)
    lamp.close()


def test_a_controller_without_programs_is_not_commanded_at_the_start(server):
    lamp = device(server.server_port)
    lamp.open()
    lamp.close()
    assert server.states == []


def test_one_segment_is_lit_and_the_others_are_left_as_they_are(server):
    server.wled.on = True
    before = server.wled.light()
    lamp = device(server.server_port, segment=1)
    lamp.open()
    lamp.send(ORANGE)
    assert server.wled.light() == [before[0], (128 * 128 // 255, 255, 188, 0), before[2]]
    lamp.send(SWITCHED_OFF)
    assert server.wled.light() == before
    lamp.close()


def test_segments_are_claimed_one_by_one():
    whole = WledConfig(host="strip")
    first, second = WledConfig(host="strip", segment=0), WledConfig(host="strip", segment=1)
    assert not overlaps_within({"a": first.claims(), "b": second.claims()})
    assert overlaps_within({"a": first.claims(), "b": whole.claims()}).keys() == {"b"}


def test_a_controller_switched_off_by_hand_stays_off_until_it_is_switched_on(server):
    lamp = device(server.server_port, respect_manual_off=True)
    lamp.open()
    lamp.send(ORANGE)
    server.wled.on = False
    lamp.send(ORANGE)
    assert server.wled.light() == [0, 0, 0] and "by hand" in lamp.remark
    server.wled.on = True
    lamp.send(ORANGE)
    assert server.wled.light()[0] == (128, 255, 188, 0) and lamp.remark == ""
    lamp.close()
    impolite = device(server.server_port)
    impolite.open()
    server.wled.on = False
    impolite.send(ORANGE)
    assert server.wled.on
    impolite.close()


def test_an_answer_that_refuses_is_an_error(server):
    lamp = device(server.server_port)
    lamp.open()
    server.status = 503
    with pytest.raises(ConnectionError, match="WLED answers 503"):
        lamp.send(ORANGE)
    lamp.close()


def test_a_controller_that_accepts_and_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr("ambient_light_driver.devices.wled.ANSWER_TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        lamp = device(silent.getsockname()[1])
        with pytest.raises(TimeoutError):
            lamp.open()
        lamp.close()


def test_a_frozen_controller_gets_no_queue_of_old_colors(monkeypatch, wait_until):
    monkeypatch.setattr("ambient_light_driver.devices.wled.ANSWER_TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        worker = DeviceWorker(device(frozen.getsockname()[1]), lambda name, status: None)
        worker.start()
        worker.post(ORANGE)
        wait_until(lambda: worker.status().failures >= 4, "four attempts")
        worker.request_stop(SWITCHED_OFF)
        assert worker.join(10.0)
        frozen.setblocking(False)
        received = []
        for _ in range(4):
            connection, _ = frozen.accept()
            with connection:
                received.append(connection.recv(65536).partition(b" ")[0])
    assert received == [b"GET"] * 4


def test_one_controller_under_two_names_is_driven_once(server, wait_until):
    """The names differ, so that the configurations alone do not show it."""
    lamps = [
        WledDevice(name, WledConfig(host=host, http_port=server.server_port, protocol="ddp"))
        for name, host in (("shelf", "127.0.0.1"), ("desk", "127.1"))
    ]
    assert not overlaps_within({lamp.name: lamp.config.claims() for lamp in lamps})
    workers = [DeviceWorker(lamp, lambda name, status: None) for lamp in lamps]
    try:
        for worker in workers:
            worker.start()
            worker.post(ORANGE)
            wait_until(lambda w=worker: w.status().sent or w.status().failures, "an attempt")
        assert workers[0].status().phase is DevicePhase.CONNECTED
        assert "desk: reaches wled://" in workers[1].status().reason
        assert "which shelf drives, too" in workers[1].status().reason
        workers[0].request_stop(SWITCHED_OFF)
        wait_until(lambda: workers[1].status().sent, "the other one")
    finally:
        for worker in workers:
            worker.request_stop(SWITCHED_OFF)
            assert worker.join(10.0)


def test_nobody_at_the_port_is_an_error(free_tcp_port):
    lamp = device(free_tcp_port())
    with pytest.raises(ConnectionRefusedError):
        lamp.open()
    lamp.close()


@pytest.fixture
def udp_receiver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as controller:
        controller.bind(("127.0.0.1", 0))
        controller.settimeout(10.0)
        yield controller


def ddp_device(http_port, receiver, **options):
    port = receiver.getsockname()[1]
    return device(http_port, protocol="ddp", ddp_port=port, **options)


def test_ddp_packets_cover_all_leds_and_the_last_one_shows_them(server, udp_receiver):
    lamp = ddp_device(server.server_port, udp_receiver, led_count=500, channel_order="GRB")
    lamp.open()
    lamp.send(ORANGE)
    first, second = udp_receiver.recv(65536), udp_receiver.recv(65536)
    lamp.close()
    # flags, sequence, RGB of 8 bit, default output, offset (4 bytes), length (2 bytes)
    assert first[:10] == bytes([0x40, 1, 0x0B, 1, 0, 0, 0, 0, 0x05, 0xA0])
    assert second[:10] == bytes([0x41, 2, 0x0B, 1, 0, 0, 0x05, 0xA0, 0, 60])
    assert first[10:] == bytes([64, 128, 0]) * 480
    assert second[10:] == bytes([64, 128, 0]) * 20


def test_ddp_sends_white_to_leds_that_have_it(server, udp_receiver):
    pale = LightState(LightColor(1.0, 0.537099, 0.537099, 1.0), "sadness")
    lamp = ddp_device(server.server_port, udp_receiver, led_count=361, channel_order="RGBW")
    lamp.open()
    lamp.send(pale)
    first, second = udp_receiver.recv(65536), udp_receiver.recv(65536)
    lamp.close()
    assert first[2] == 0x1B
    assert first[10:] == bytes([191, 0, 0, 64]) * 360
    assert second[4:10] == bytes([0, 0, 0x05, 0xA0, 0, 4])


@pytest.mark.parametrize(("last", "light"), [(SWITCHED_OFF, 0), (ORANGE, (128, 255, 188, 0))])
def test_after_a_stream_wled_keeps_the_last_color(server, udp_receiver, last, light):
    """Left to itself it plays again what it played before, 2.5 s after darkness."""
    server.wled.on = server.wled.live = True
    lamp = ddp_device(server.server_port, udp_receiver)
    lamp.open()
    lamp.send(last)
    lamp.close()
    assert server.wled.light()[0] == light
    assert not server.wled.live


def test_a_stream_that_wled_does_not_end_is_an_error(free_tcp_port, udp_receiver):
    lamp = ddp_device(free_tcp_port(), udp_receiver)
    lamp.open()
    lamp.send(SWITCHED_OFF)
    with pytest.raises(ConnectionError, match="resumes its former state"):
        lamp.close()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"host": ""}, r"device\.lamp\.host: expected the controller's name"),
        ({"channel_order": "GRB"}, "channel_order: applies to protocol ddp only"),
        ({"gamma": 2.2}, "gamma: applies to protocol ddp only"),
        ({"protocol": "ddp", "channel_order": "RGBD"}, "channel_order: expected R, G and B"),
        ({"protocol": "ddp", "refresh_s": 2.5}, "refresh_s: expected a packet every 2 s"),
        ({"protocol": "ddp", "max_rate_hz": 0.4}, "max_rate_hz: expected a packet every 2 s"),
        ({"protocol": "ddp", "segment": 1}, "segment: applies to protocol json only"),
        ({"protocol": "ddp", "respect_manual_off": True}, "respect_manual_off: applies to"),
    ],
)
def test_options_without_an_effect_are_refused_by_their_key(options, text):
    with pytest.raises(ConfigError, match=text):
        build_config(WledConfig, {"host": "strip"} | options, "device.lamp")
