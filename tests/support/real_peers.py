# SPDX-License-Identifier: Apache-2.0
"""Real programs that the tests communicate with."""

import json
import os
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

PATIENCE_S = 60.0
"""Timeout for expected events, independent of the required speed."""


def wait_until(condition, what, patience_s=PATIENCE_S):
    """Wait until ``condition()`` is true and return its value."""
    end_s = time.monotonic() + patience_s
    while not (value := condition()):
        assert time.monotonic() < end_s, f"timed out waiting for {what}"
        time.sleep(0.01)
    return value


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find_program(name):
    for folder in [*os.environ["PATH"].split(os.pathsep), "/usr/sbin", "/usr/local/sbin"]:
        if os.access(Path(folder) / name, os.X_OK):
            return str(Path(folder) / name)
    return None


@pytest.fixture(scope="session", name="program")
def program_fixture():
    """Return the path of a program, or skip the test with a reason."""

    def find(name, package, untested):
        path = find_program(name)
        if path is None:
            pytest.skip(f"no {name} (apt-get install {package}): {untested} was not tested")
        return path

    return find


OLA_PLUGINS = [
    "artnet",
    "dmx4linux",
    "dummy",
    "e131",
    "espnet",
    "ftdidmx",
    "gpio",
    "karate",
    "kinet",
    "milinst",
    "opendmx",
    "openpixelcontrol",
    "osc",
    "pathport",
    "renard",
    "sandnet",
    "shownet",
    "spi",
    "stageprofi",
    "uartdmx",
    "usbdmx",
    "usbserial",
    "usbpro",
]


class Olad:
    """OLA's daemon with one plug-in, which receives DMX and reports it by HTTP."""

    def __init__(self, program, folder, plugin, settings):
        self.http_port = free_port(socket.SOCK_STREAM)
        folder.mkdir()
        for name in OLA_PLUGINS:
            enabled = "true" if name == plugin else "false"
            text = f"enabled = {enabled}\n" + (settings if name == plugin else "")
            (folder / f"ola-{name}.conf").write_text(text)
        self._log = (folder / "olad.log").open("wb")
        unprivileged = {}
        if os.geteuid() == 0:  # olad refuses to run as root
            for path in (folder, *folder.iterdir()):
                os.chown(path, 65534, 65534)
            unprivileged = {"user": 65534, "group": 65534, "extra_groups": []}
        self.process = subprocess.Popen(
            [
                program,
                *("-c", str(folder), "-p", str(self.http_port)),
                *("-r", str(free_port(socket.SOCK_STREAM)), "-i", "lo"),
                "--no-register-with-dns-sd",
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            **unprivileged,
        )
        wait_until(self._answers, "olad's HTTP interface")

    def _answers(self):
        assert self.process.poll() is None, Path(self._log.name).read_text()
        try:
            return self._get("/json/server_stats")
        except OSError:
            return False

    def _get(self, path, data=None):
        url = f"http://127.0.0.1:{self.http_port}{path}"
        with urllib.request.urlopen(url, data=data, timeout=5.0) as answer:
            return answer.read().decode()

    def listen(self, universe):
        """Connect ``universe`` to the first input port."""
        ports = json.loads(self._get("/json/get_ports"))
        port = next(p for p in ports if not p["is_output"])
        data = f"id={universe}&name=test&add_ports={port['id']}".encode()
        assert json.loads(self._get("/new_universe", data))["ok"]

    def channels(self, universe):
        """Return olad's current channels of ``universe``."""
        return json.loads(self._get(f"/get_dmx?u={universe}"))["dmx"]

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self._log.close()


@pytest.fixture(name="start_olad")
def start_olad_fixture(program):
    """Start olad with one plug-in and its settings for one test."""
    path = program("olad", "ola", "what a real DMX receiver makes of our packets")
    running = []

    def start(plugin, settings=""):
        folder = Path("/tmp") / f"olad-{os.getpid()}-{len(running)}-{time.monotonic_ns()}"
        olad = Olad(path, folder, plugin, settings)
        running.append((olad, folder))
        return olad

    yield start
    for olad, folder in running:
        olad.close()
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
