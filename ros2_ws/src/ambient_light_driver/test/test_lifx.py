# SPDX-License-Identifier: Apache-2.0
"""LIFX lamps against lifx-emulator, whose state is read back by HTTP."""

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
from ambient_light_driver.light_state import SWITCHED_OFF, LightState
from fer_common.options import ConfigError, build_config

pytest.importorskip("lifx", reason="no Python module lifx: LIFX was not tested")
pytest.importorskip("lifx_emulator", reason="no lifx-emulator: LIFX was not tested")

GREEN = LightState(LightColor(0.0, 1.0, 0.0, 1.0), "disgust")


class Emulator:
    def __init__(self, port, api_port, log, wait_until):
        self.port = port
        self._url = f"http://127.0.0.1:{api_port}/api/devices"
        program = Path(sys.executable).parent / "lifx-emulator"
        self.process = subprocess.Popen(
            [program, "--bind", "127.0.0.1", "--port", str(port), "--color", "1"]
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

    def start(port=None):
        if port is None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        log = tmp_path / f"emulator{len(running)}.log"
        running.append(Emulator(port, free_tcp_port(), log, wait_until))
        return running[-1]

    yield start
    for emulator in running:
        emulator.stop()


def test_the_lamp_takes_the_color_and_goes_on_and_dark(start_emulator, wait_until):
    emulator = start_emulator()
    lamp = LifxDevice("lifx", LifxConfig(host="127.0.0.1", udp_port=emulator.port))
    lamp.open()
    lamp.send(GREEN)
    wait_until(lambda: emulator.color()["brightness"] == 65535, "the end of the transition")
    color = emulator.color()
    assert color["hue"] == pytest.approx(65536 / 3, abs=2)
    assert color["saturation"] == 65535
    assert emulator.devices()[0]["power_level"] == 65535
    lamp.send(SWITCHED_OFF)
    wait_until(lambda: emulator.color()["brightness"] == 0, "darkness")
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


def test_a_missing_address_is_refused_by_its_key():
    with pytest.raises(ConfigError, match=r"device\.lamp\.host: expected the lamp's IP address"):
        build_config(LifxConfig, {}, "device.lamp")
