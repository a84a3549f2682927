# SPDX-License-Identifier: Apache-2.0
"""Hue against a local HTTPS server that checks the documented contract.

A bridge cannot run here. The contract: https://github.com/openhue/openhue-api (LightPut).
"""

import json
import re
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.device_worker import DevicePhase, DeviceWorker
from ambient_light_driver.devices.hue import HueConfig, HueDevice, light_command
from ambient_light_driver.light_state import SWITCHED_OFF, LightState
from fer_common.options import ConfigError, build_config

KEY = "s3cret-application-key"
LIGHT_ID = "3883f8bf-30a3-445b-ac06-b047d50599df"
OTHER_ID = "5d3f0000-30a3-445b-ac06-b047d50599df"
ROOM_ID = "9f1c0000-30a3-445b-ac06-b047d50599df"
BRIDGE_ID = "001788fffe123456"
ORANGE = LightState(LightColor(1.0, 0.735357, 0.0, 0.5), "happiness")
RED, GREEN, BLUE = (0.64, 0.33), (0.30, 0.60), (0.15, 0.06)
"""Chromaticities of the primaries of sRGB (ITU-R BT.709)."""

COMMANDS_PER_S = {"light": 10, "grouped_light": 1}
"""What the bridge's maker advises not to exceed."""

RESOURCES = {
    "light": [
        {"id": LIGHT_ID, "metadata": {"name": "Desk"}},
        {"id": OTHER_ID, "metadata": {"name": "Shelf"}},
        {"id": "1", "metadata": {"name": "Twin"}},
        {"id": "2", "metadata": {"name": "Twin"}},
    ],
    "room": [
        {
            "metadata": {"name": "Lounge"},
            "services": [
                {"rtype": "motion", "rid": "3"},
                {"rtype": "grouped_light", "rid": ROOM_ID},
            ],
        },
        {"metadata": {"name": "Cellar"}, "services": []},
    ],
    "zone": [],
}
SOFT_OFF = 'device (light) is "soft off", command (.dimming.brightness) may not have effect'


def beyond(start, end, point):
    """Return how far ``point`` lies to the right of the way from ``start`` to ``end``."""
    (ax, ay), (bx, by), (x, y) = start, end, point
    cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    return -cross / ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5


def is_number(value, low, high):
    return type(value) in (int, float) and low <= value <= high


def breach_of_contract(body):
    """Return the fault of a light request's body, or an empty string."""
    if unknown := set(body) - {"on", "dimming", "color", "dynamics"}:
        return f"unknown: {unknown}"
    for key, keys in {"on": {"on"}, "dimming": {"brightness"}, "color": {"xy"}}.items():
        if key in body and set(body[key]) != keys:
            return f"{key}: {body[key]}"
    if "on" in body and type(body["on"]["on"]) is not bool:
        return "on.on"
    # 0 would be taken for the lowest brightness.
    if "dimming" in body and not is_number(body["dimming"]["brightness"], 0.001, 100.0):
        return f"dimming.brightness: {body['dimming']}"
    if "color" in body:
        xy = body["color"]["xy"]
        if set(xy) != {"x", "y"} or not all(is_number(xy[key], 0.0, 1.0) for key in xy):
            return f"color.xy: {xy}"
        corners = (RED, GREEN, BLUE, RED)
        point = xy["x"], xy["y"]
        if any(beyond(a, b, point) > 2e-3 for a, b in zip(corners, corners[1:], strict=False)):
            return f"color.xy outside of the gamut: {xy}"
    # A fade of the lamp's own could pass other colours and levels.
    return "" if body.get("dynamics") == {"duration": 0} else f"dynamics: {body.get('dynamics')}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers["hue-application-key"] != KEY:
            self.answer(403, "unauthorized user")
            return
        kind, _, id_ = self.path.removeprefix("/clip/v2/resource/").partition("/")
        state = {"on": {"on": self.server.on}, "effects": {"status": self.server.effect}}
        self.answer(200, data=[state] if id_ else RESOURCES[kind])

    def do_PUT(self):
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        match = re.fullmatch(r"/clip/v2/resource/(light|grouped_light)/([0-9a-f-]{36})", self.path)
        if self.headers["hue-application-key"] != KEY:
            self.answer(403, "unauthorized user")
        elif not match:
            self.answer(404, "Not Found")
        elif self.headers["Content-Type"] != "application/json":
            self.answer(400, "content type")
        elif self.is_too_often(match[1]):
            self.answer(429, "too many requests")
        elif body == {"effects": {"effect": "no_effect"}}:
            server.effect = "no_effect"
            self.answer(200)
        elif breach := breach_of_contract(body):
            self.answer(400, breach)
        elif not body.get("on", {"on": server.on})["on"] and "dimming" in body:
            self.answer(207, SOFT_OFF)
        else:
            server.on = body.get("on", {"on": server.on})["on"]
            server.bodies.append((match[2], body))
            self.answer(server.status, server.error)

    def is_too_often(self, kind):
        now_s = time.monotonic()
        arrivals_s = self.server.arrivals_s[kind]
        # What the network adds and takes from a gap is not the sender's.
        arrivals_s[:] = [t for t in arrivals_s if now_s - t < 0.95] + [now_s]
        return len(arrivals_s) > COMMANDS_PER_S[kind]

    def answer(self, status, error="", data=()):
        if status != 200:
            self.server.refusals.append((status, error))
        errors = [{"description": error}] if error else []
        text = json.dumps({"errors": errors, "data": list(data)}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def certificate(program, tmp_path_factory):
    """A bridge's kind of certificate: it names the bridge's id, and no address."""
    openssl = program("openssl", "openssl", "Hue over HTTPS")
    folder = tmp_path_factory.mktemp("bridge")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        + ["-nodes", "-days", "2", "-subj", f"/C=NL/O=Philips Hue/CN={BRIDGE_ID}"]
        + ["-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.fixture
def bridge(certificate):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.bodies, server.refusals, server.on = [], [], False
    server.effect = "no_effect"
    server.arrivals_s = {"light": [], "grouped_light": []}
    server.status, server.error = 200, ""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def device(bridge, certificate, tmp_path):
    """Make a device for the bridge; keywords are its options."""
    key_file = tmp_path / "key"
    key_file.write_text(KEY + "\n")
    lamps = []

    def make(**options):
        defaults = {
            "host": "127.0.0.1",
            "https_port": bridge.server_port,
            "light_id": LIGHT_ID,
            "key_file": str(key_file),
            "ca_file": str(certificate[0]),
            "bridge_id": BRIDGE_ID,
        }
        lamps.append(HueDevice("hue", HueConfig(**(defaults | options))))
        return lamps[-1]

    yield make
    for lamp in lamps:
        lamp.close()


def test_the_lamp_gets_color_and_brightness_at_once_and_goes_off(bridge, device):
    lamp = device()
    lamp.open()
    lamp.send(ORANGE)
    lamp.send(SWITCHED_OFF)
    assert bridge.refusals == []
    (lit_id, lit), (_, dark) = bridge.bodies
    assert lit_id == LIGHT_ID
    assert lit["on"] == {"on": True}
    assert lit["dynamics"] == {"duration": 0}
    assert lit["dimming"]["brightness"] == pytest.approx(73.54, abs=0.01)  # sRGB of light 0.5
    # The mean of the primaries, weighted by their X + Y + Z: 0.6443 of red, half of 1.1920.
    assert lit["color"]["xy"]["x"] == pytest.approx(0.4767, abs=2e-4)
    assert lit["color"]["xy"]["y"] == pytest.approx(0.4597, abs=2e-4)
    assert dark == {"on": {"on": False}, "dynamics": {"duration": 0}}


@pytest.mark.parametrize(
    ("rgb", "xy"),
    [
        ((1.0, 0.0, 0.0), RED),
        ((0.0, 1.0, 0.0), GREEN),
        ((0.0, 0.0, 1.0), BLUE),
        ((1.0, 1.0, 1.0), (0.3127, 0.3290)),
        ((0.2, 0.2, 0.2), (0.3127, 0.3290)),
    ],
)
def test_primaries_and_white_have_the_chromaticities_of_the_standard(rgb, xy):
    shown = light_command(LightColor(*rgb))["color"]["xy"]
    assert (shown["x"], shown["y"]) == pytest.approx(xy, abs=3e-4)


unit = st.floats(0.0, 1.0)


@given(st.builds(LightColor, unit, unit, unit, unit))
def test_no_color_breaks_the_contract(color):
    assert breach_of_contract(light_command(color)) == ""


def test_the_contract_of_this_test_is_one():
    good = light_command(ORANGE.color)
    for path, value in {
        ("on", "on"): 1,
        ("dimming", "brightness"): 0,
        ("color", "xy"): {"x": 0.7, "y": 0.6},
        ("dynamics", "duration"): 0.1,
        ("effects",): {},
    }.items():
        bad = json.loads(json.dumps(good))
        place = bad
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        assert breach_of_contract(bad), path


def test_all_lamps_of_a_bridge_together_are_not_asked_more_often_than_it_can_bear(
    bridge, device, wait_until
):
    targets = [{}, {"light_id": OTHER_ID}, {"light_id": "", "grouped_light_id": ROOM_ID}]
    workers = [DeviceWorker(device(**target), lambda name, status: None) for target in targets]
    for worker in workers:
        worker.start()
    i = 0

    def post_another():
        nonlocal i
        i += 1
        for worker in workers:
            worker.post(LightState(LightColor(1.0, 0.5, 0.0, i % 100 / 100.0), "happiness"))
        return len(bridge.bodies) >= 25 or bridge.refusals

    wait_until(post_another, "commands")
    for worker in workers:
        worker.request_stop(SWITCHED_OFF)
    assert all(worker.join(10.0) for worker in workers)
    assert bridge.refusals == []
    last = dict(bridge.bodies)
    assert {id_: body["on"] for id_, body in last.items()} == {
        id_: {"on": False} for id_ in (LIGHT_ID, OTHER_ID, ROOM_ID)
    }
    assert all(worker.status().superseded > 0 for worker in workers)


@pytest.mark.parametrize(
    ("name", "id_", "kind"),
    [("desk", LIGHT_ID, "light"), ("Lounge", ROOM_ID, "grouped_light")],
)
def test_a_lamp_or_room_is_found_by_its_name(bridge, device, name, id_, kind):
    lamp = device(light_id="", light_name=name)
    lamp.open()
    lamp.take_turn()
    lamp.send(ORANGE)
    assert [body[0] for body in bridge.bodies] == [id_]
    assert len(bridge.arrivals_s[kind]) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Attic", "no lamp, room or zone is called 'Attic'; the bridge has 'Desk', 'Lounge', "),
        ("Cellar", "no lamp, room or zone is called 'Cellar'"),  # a room without lamps
        ("Twin", "several lamps, rooms or zones are called 'Twin'"),
    ],
)
def test_a_name_that_is_not_one_lamp_is_refused_with_those_that_are(bridge, device, name, text):
    lamp = device(light_id="", light_name=name)
    with pytest.raises(ConnectionError, match=f"light_name: {text}"):
        lamp.open()
    assert bridge.bodies == []


def test_an_effect_of_the_lamp_ends_when_it_is_taken_over(bridge, device):
    bridge.effect = "candle"
    lamp = device()
    lamp.open()
    assert bridge.effect == "no_effect"


def test_a_lamp_switched_off_by_hand_stays_off_until_it_is_switched_on(
    bridge, device, monkeypatch
):
    lamp = device(respect_manual_off=True)
    lamp.open()
    lamp.send(ORANGE)
    bridge.on = False
    lamp.send(ORANGE)  # before the next look: the bridge answers that the lamp is off
    assert not bridge.on and "by hand" in lamp.remark
    monkeypatch.setattr("ambient_light_driver.devices.hue.POLL_S", 0.0)
    lamp.send(ORANGE)
    assert not bridge.on
    bridge.on = True
    lamp.send(ORANGE)
    assert lamp.remark == "" and len(bridge.bodies) == 2
    bridge.on = False
    lamp.send(ORANGE)  # the look notices it
    assert not bridge.on and "by hand" in lamp.remark


def test_a_lamp_switched_off_by_hand_is_lit_again_unless_asked_otherwise(bridge, device):
    lamp = device()
    lamp.open()
    lamp.send(ORANGE)
    bridge.on = False
    lamp.send(ORANGE)
    assert bridge.on


def test_another_bridge_than_the_expected_one_gets_no_key(bridge, device):
    for options in (
        {"bridge_id": "001788fffe654321"},
        {"bridge_id": ""},  # the address does not stand in the certificate
    ):
        lamp = device(**options)
        with pytest.raises(ConnectionError, match="bridge_id: set it to the bridge's id"):
            lamp.open()
        lamp.close()
    assert not any(bridge.arrivals_s.values())


def test_a_certificate_of_unknown_origin_is_refused_unless_said_otherwise(
    bridge, device, program, tmp_path
):
    openssl = program("openssl", "openssl", "Hue over HTTPS")
    other = tmp_path / "other.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", f"/CN={BRIDGE_ID}", "-keyout", tmp_path / "other.key", "-out", other],
        check=True,
        capture_output=True,
    )
    lamp = device(ca_file=str(other))
    with pytest.raises(ConnectionError, match="ca_file: set it to"):
        lamp.open()
    lamp.close()
    careless = device(verify=False, ca_file="", bridge_id="")
    careless.open()
    careless.send(ORANGE)
    assert len(bridge.bodies) == 1


@pytest.mark.parametrize(
    ("status", "error", "text"),
    [
        (503, "", "Hue bridge answers 503"),
        (429, "too many requests", "answers 429: too many requests"),
        (200, "device (light) has communication issues", "reports: device .light. has comm"),
        (207, "cannot be set", "answers 207: cannot be set"),
    ],
)
def test_an_answer_that_refuses_is_an_error(bridge, device, status, error, text):
    bridge.status, bridge.error = status, error
    lamp = device()
    lamp.open()
    with pytest.raises(ConnectionError, match=text):
        lamp.send(ORANGE)


def test_a_wrong_key_is_refused_and_never_shown(bridge, device, monkeypatch):
    monkeypatch.setenv("HUE_KEY", "another-key")
    lamp = device(key_file="", key_env="HUE_KEY")
    with pytest.raises(ConnectionError, match="403: unauthorized") as caught:
        lamp.open()
    lamp.close()
    assert "another-key" not in f"{caught.value} {lamp.config} {vars(lamp)}"
    for broken in ("two\x01parts", "ключ", ""):
        monkeypatch.setenv("HUE_KEY", broken)
        with pytest.raises(ConnectionError, match="HUE_KEY: expected the bridge's") as caught:
            lamp.open()
        assert not broken or broken not in str(caught.value)


def test_a_bridge_that_accepts_and_never_answers_is_given_up(device, monkeypatch):
    monkeypatch.setattr("ambient_light_driver.devices.hue_bridge.ANSWER_TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        lamp = device(https_port=silent.getsockname()[1])
        with pytest.raises(TimeoutError):
            lamp.open()


def test_a_bridge_that_closes_the_connection_is_reached_again(bridge, device, wait_until):
    worker = DeviceWorker(device(), lambda name, status: None)
    worker.start()
    worker.post(ORANGE)
    wait_until(lambda: worker.status().phase is DevicePhase.CONNECTED, "the bridge")
    bridge.status, bridge.error = 503, "starting"
    wait_until(lambda: worker.status().phase is DevicePhase.LOST, "the loss")
    assert worker.status().reason == "Hue bridge answers 503: starting"
    bridge.status, bridge.error = 200, ""
    wait_until(lambda: worker.status().recoveries == 1, "the recovery")
    worker.request_stop(SWITCHED_OFF)
    assert worker.join(10.0)


@pytest.mark.parametrize(
    ("left_out", "text"),
    [
        ("host", r"device\.lamp\.host: expected the bridge's name"),
        ("light_id", r"device\.lamp\.light_name: expected one of light_name, .*, got none"),
        ("key_env", r"device\.lamp\.key_file: expected the file with the application key"),
        ("ca_file", r"device\.lamp\.ca_file: expected the certificates"),
    ],
)
def test_what_cannot_be_left_out_is_named_by_its_key(left_out, text):
    values = {"host": "bridge", "light_id": LIGHT_ID, "key_env": "HUE_KEY", "ca_file": "ca.pem"}
    del values[left_out]
    with pytest.raises(ConfigError, match=text):
        build_config(HueConfig, values, "device.lamp")


def test_a_lamp_is_given_in_one_way():
    values = {"host": "bridge", "light_id": LIGHT_ID, "key_env": "HUE_KEY", "ca_file": "ca.pem"}
    with pytest.raises(ConfigError, match="light_name: .* got light_name and light_id"):
        build_config(HueConfig, values | {"light_name": "Desk"}, "device.lamp")
