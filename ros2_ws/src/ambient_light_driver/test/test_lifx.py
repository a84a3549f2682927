# SPDX-License-Identifier: Apache-2.0
"""LIFX lamps against lifx-emulator, whose state is read back by HTTP."""

import asyncio
import json
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.device_worker import DevicePhase, DeviceWorker
from ambient_light_driver.devices.lifx import LifxConfig, LifxDevice
from ambient_light_driver.devices.light_device import DeviceUnavailableError
from ambient_light_driver.light_state import SWITCHED_OFF, LightState
from fer_common.options import ConfigError, build_config

lifx = pytest.importorskip("lifx", reason="no Python module lifx: LIFX was not tested")
pytest.importorskip("lifx_emulator", reason="no lifx-emulator: LIFX was not tested")

GREEN = LightState(LightColor(0.0, 1.0, 0.0, 1.0), "disgust")


class Emulator:
    def __init__(self, port, api_port, log, wait_until, kind):
        self.port = port
        self._url = f"http://127.0.0.1:{api_port}/api/devices"
        program = Path(sys.executable).parent / "lifx-emulator"
        self.process = subprocess.Popen(
            [program, "--bind", "127.0.0.1", "--port", str(port), *kind]
            + ["--api", "--api-port", str(api_port)],
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
            cwd=log.parent,
        )
        wait_until(self._answers, "the emulator")

    def _answers(self):
        assert self.process.poll() is None
        try:
            return self.devices()
        except OSError:
            return None

    def devices(self):
        with urllib.request.urlopen(self._url, timeout=5.0) as answer:
            found = json.load(answer)
        return found["devices"] if isinstance(found, dict) else found

    def color(self):
        return self.devices()[0]["color"]

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def start_emulator(tmp_path, free_tcp_port, wait_until):
    running = []

    def start(port=None, kind=("--color", "1")):
        if port is None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        log = tmp_path / f"emulator{len(running)}.log"
        running.append(Emulator(port, free_tcp_port(), log, wait_until, kind))
        return running[-1]

    yield start
    for emulator in running:
        emulator.stop()


def test_the_lamp_takes_the_color_and_goes_on_and_dark(start_emulator):
    emulator = start_emulator()
    lamp = LifxDevice("lifx", LifxConfig(host="127.0.0.1", udp_port=emulator.port))
    lamp.open()
    lamp.send(GREEN)
    color = emulator.color()  # at once: a fade would take the lamp through other hues
    assert color["brightness"] == 65535
    assert color["hue"] == pytest.approx(65536 / 3, abs=2)
    assert color["saturation"] == 65535
    assert emulator.devices()[0]["power_level"] == 65535
    lamp.send(SWITCHED_OFF)
    assert emulator.color()["brightness"] == 0
    lamp.close()


def test_a_lamp_that_loses_power_is_noticed_and_lit_again(start_emulator, wait_until):
    emulator = start_emulator()
    config = LifxConfig(host="127.0.0.1", udp_port=emulator.port, refresh_s=0.1)
    worker = DeviceWorker(LifxDevice("lifx", config), lambda name, status: None)
    worker.start()
    worker.post(GREEN)
    wait_until(lambda: worker.status().phase is DevicePhase.CONNECTED, "the lamp")
    emulator.stop()
    wait_until(lambda: worker.status().phase is DevicePhase.LOST, "the loss to be noticed")
    again = start_emulator(emulator.port)
    wait_until(lambda: again.color()["brightness"] == 65535, "the color after the outage")
    worker.request_stop(SWITCHED_OFF)
    assert worker.join(10.0)


def found_device(emulator, **options):
    options = {"broadcast_address": "127.0.0.1", "udp_port": emulator.port} | options
    return LifxDevice("lifx", LifxConfig(**options))


def brightness(emulator):
    return [lamp["color"]["brightness"] for lamp in emulator.devices()]


@pytest.mark.parametrize("key", ["serial", "label"])
def test_one_lamp_of_several_is_found_by_what_it_is_called(start_emulator, wait_until, key):
    emulator = start_emulator(kind=("--color", "2"))
    chosen = emulator.devices()[1]
    before = brightness(emulator)
    lamp = found_device(emulator, **{key: chosen[key]})
    lamp.open()
    lamp.send(SWITCHED_OFF)
    lamp.close()
    wait_until(lambda: brightness(emulator)[1] == 0, "darkness")
    assert brightness(emulator)[0] == before[0] > 0


def test_all_lamps_of_a_group_show_the_same(start_emulator, wait_until):
    emulator = start_emulator(kind=("--color", "2"))
    lamp = found_device(emulator, group=emulator.devices()[0]["group_label"])
    lamp.open()
    lamp.send(GREEN)
    wait_until(lambda: brightness(emulator) == [65535] * 2, "both lamps")
    lamp.close()


def test_an_unknown_label_is_refused_with_those_that_are_there(start_emulator):
    emulator = start_emulator()
    lamp = found_device(emulator, label="Attic")
    label = emulator.devices()[0]["label"]
    with pytest.raises(DeviceUnavailableError, match=f"label 'Attic' answers .*{label}"):
        lamp.open()
    lamp.close()


def test_zones_of_a_strip_are_lit_and_the_others_left(start_emulator, wait_until):
    emulator = start_emulator(kind=("--multizone", "1"))
    host = {"host": "localhost", "udp_port": emulator.port}
    lamp = LifxDevice("strip", LifxConfig(first_zone=2, last_zone=4, **host))
    lamp.open()
    before = emulator.devices()[0]["zone_colors"]
    lamp.send(GREEN)
    lamp.close()

    def lit():
        zones = emulator.devices()[0]["zone_colors"]
        return [i for i, zone in enumerate(zones) if zone != before[i]] == [2, 3, 4]

    wait_until(lit, "zones 2 to 4")


def test_an_effect_of_the_lamp_ends_when_it_is_taken_over(start_emulator):
    emulator = start_emulator(kind=("--multizone", "1"))

    async def effect(kind=None):
        async with await lifx.Device.connect("127.0.0.1", port=emulator.port) as strip:
            if kind is not None:
                await strip.set_move_effect(kind, 5.0)
            return (await strip.get_effect()).effect_type

    moving = asyncio.run(effect("forward"))
    lamp = found_device(emulator, host="127.0.0.1")
    lamp.open()
    lamp.close()
    assert moving.name == "MOVE"
    assert asyncio.run(effect()).name == "OFF"


def test_a_lamp_without_zones_is_not_asked_for_one(start_emulator):
    lamp = found_device(start_emulator(), host="127.0.0.1", first_zone=0)
    with pytest.raises(DeviceUnavailableError, match="first_zone: this LIFX lamp has no zones"):
        lamp.open()
    lamp.close()


def switch(emulator, is_on):
    """Switch the lamp as a person does by the app."""

    async def set_power():
        async with await lifx.Light.from_ip("127.0.0.1", emulator.port) as lamp:
            await lamp.set_power(is_on)

    asyncio.run(set_power())


@pytest.mark.parametrize("respected", [True, False])
def test_a_lamp_switched_off_by_hand_stays_off_if_that_is_respected(
    start_emulator, monkeypatch, respected
):
    monkeypatch.setattr("ambient_light_driver.devices.lifx.POLL_S", 0.0)
    emulator = start_emulator()
    host = {"host": "127.0.0.1", "udp_port": emulator.port}
    lamp = LifxDevice("lifx", LifxConfig(respect_manual_off=respected, **host))
    lamp.open()
    lamp.send(GREEN)
    switch(emulator, False)
    lamp.send(GREEN)
    assert bool(emulator.devices()[0]["power_level"]) is not respected
    assert bool(lamp.remark) is respected
    switch(emulator, True)
    lamp.send(GREEN)
    assert emulator.devices()[0]["power_level"] and not lamp.remark
    lamp.close()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, r"device\.lamp\.host: expected the lamp's name or IP address, .* got none"),
        ({"host": "a", "label": "b"}, "got host and label"),
        ({"host": "a", "first_zone": 5, "last_zone": 2}, "first_zone: expected a zone from 0 to"),
        ({"host": "a", "last_zone": 2}, "first_zone: expected a zone from 0 to last_zone 2"),
    ],
)
def test_wrong_options_are_refused_by_their_key(options, text):
    with pytest.raises(ConfigError, match=text):
        build_config(LifxConfig, options, "device.lamp")
