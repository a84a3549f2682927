# SPDX-License-Identifier: Apache-2.0
"""Real counterparts of the light's devices, which record what arrives.

olad for E1.31 and Art-Net, mosquitto for MQTT, pseudo-terminals for serial lines; WLED is firmware
and stood in for by a process that speaks its interfaces.
"""

from __future__ import annotations

import array
import fcntl
import http.client
import importlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
import tty
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ambient_light_driver.ambient_light import make_device
from ambient_light_driver.devices.device_set import DeviceSpec

from .wire_listener import KINDS

_UNIVERSE = 3
_POLL_S = 0.008
_PATIENCE_S = 20.0
_ATTEMPTS = 4
_RIG = {"near": "1:RGB", "far": "10:DRGB", "white": "20:RGBW"}
"""Fixtures of one universe that three devices drive."""


@dataclass(frozen=True)
class Shown:
    """Values in [0, 1] sent to a lamp at one time.

    :ivar arrived_s: monotonic time [s].
    :ivar channels: red, green, blue, and white where the lamp has it.
    :ivar level: brightness, where it is sent apart.
    """

    arrived_s: float
    channels: tuple[float, ...]
    level: float = 1.0


Options = Mapping[str, str | int | float | bool | list[str]]


class Counterpart(ABC):
    """One receiver and the lamps behind it.

    :ivar devices: name -> device and its options that drive it.
    :ivar missing: what is not installed, so that nothing was tried.
    """

    name: str
    queues = False
    """Whether it queues what arrives while it stands still, beyond the reach of the light."""

    def __init__(self) -> None:
        self.devices: dict[str, tuple[str, Options]] = {}

    def specs(self) -> dict[str, DeviceSpec]:
        """Return the devices for a light without ROS."""
        return {
            name: make_device(kind, **options) for name, (kind, options) in self.devices.items()
        }

    @abstractmethod
    def stall(self, stalled: bool) -> None:
        """Let the receiver stand still, or go on."""

    @abstractmethod
    def restart(self) -> None:
        """Kill the receiver and start it again."""

    @abstractmethod
    def shown(self) -> dict[str, list[Shown]]:
        """Return what each lamp got, in order of arrival."""

    @abstractmethod
    def close(self) -> None:
        """End the receiver."""


class MissingError(Exception):
    """A counterpart is not installed."""


def free_port(kind: socket.SocketKind) -> int:
    """Return a free port of this machine."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_port(port: int) -> None:
    end_s = time.monotonic() + _PATIENCE_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > end_s:
            raise TimeoutError(f"nothing listens at port {port}")
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()


def _fixture(data: list[int], mode: str) -> tuple[tuple[float, ...], float]:
    numbers = [value / 255.0 for value in data]
    if mode[0] == "D":
        return tuple(numbers[1:]), numbers[0]
    return tuple(numbers), 1.0


class OladCounterpart(Counterpart):
    """olad with one plug-in; its universe is read back by HTTP.

    :param plugin: ``e131`` or ``artnet``.
    """

    queues = True

    def __init__(self, plugin: str, folder: Path) -> None:
        super().__init__()
        peers: Any = importlib.import_module("tests.support.real_peers")
        program = peers.find_program("olad")
        if program is None:
            raise MissingError("no olad (apt-get install ola)")
        self.name = {"e131": "olad, E1.31", "artnet": "olad, Art-Net"}[plugin]
        kind = {"e131": "sacn", "artnet": "artnet"}[plugin]
        settings = "ip = 127.0.0.1\nuse_loopback = true\n" if plugin == "artnet" else ""
        self._folder = folder / plugin
        self._launch: Callable[[], Any] = lambda: peers.Olad(
            program, self._folder, plugin, settings
        )
        self._olad = self._start()
        self._olad.listen(_UNIVERSE)
        for name, fixture in _RIG.items():
            self.devices[f"{kind}_{name}"] = (
                kind,
                {"destination": "127.0.0.1", "universe": _UNIVERSE, "fixtures": [fixture]},
            )
        self._records: dict[str, list[Shown]] = {name: [] for name in self.devices}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _start(self) -> Any:
        for attempt in range(_ATTEMPTS):
            try:
                return self._launch()
            except AssertionError:  # another process took the port that was free
                shutil.rmtree(self._folder)
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError

    def _read(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while not self._ended.wait(_POLL_S):
            try:
                if connection is None:
                    port = self._olad.http_port
                    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=0.5)
                connection.request("GET", f"/get_dmx?u={_UNIVERSE}")
                dmx = json.loads(connection.getresponse().read()).get("dmx", [])
            except (OSError, http.client.HTTPException, ValueError):
                if connection is not None:
                    connection.close()
                connection = None
                continue
            if len(dmx) < 24:
                continue
            for record, fixture in zip(self._records.values(), _RIG.values(), strict=True):
                address, mode = fixture.split(":")
                first = int(address) - 1
                channels, level = _fixture(dmx[first : first + len(mode)], mode)
                if not record or (record[-1].channels, record[-1].level) != (channels, level):
                    record.append(Shown(time.monotonic(), channels, level))
        if connection is not None:
            connection.close()

    def stall(self, stalled: bool) -> None:
        """Stop olad, whose socket keeps the packets, or let it go on."""
        self._olad.process.send_signal(signal.SIGSTOP if stalled else signal.SIGCONT)

    def restart(self) -> None:
        """Kill olad and start it again: its universe begins dark."""
        _end(self._olad.process)
        self._olad.close()
        shutil.rmtree(self._folder)
        self._olad = self._start()
        self._olad.listen(_UNIVERSE)

    def shown(self) -> dict[str, list[Shown]]:
        """Return the fixtures' channels whenever they changed."""
        return self._records

    def close(self) -> None:
        """End olad."""
        self._ended.set()
        self._thread.join()
        _end(self._olad.process)
        self._olad.close()


class _Listener:
    """A process of :mod:`.wire_listener` and what it printed."""

    def __init__(self, kind: str, port: int, log: Path) -> None:
        assert kind in KINDS
        self._words = [sys.executable, "-m", "robustness.fuzz.wire_listener", kind, str(port)]
        self._log = log
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as stream:
            self.process = subprocess.Popen(self._words, stdout=stream, stderr=subprocess.DEVNULL)

    def lines(self) -> list[tuple[float, str, bytes]]:
        found = []
        for line in self._log.read_text().splitlines():
            words = line.split(" ")
            if len(words) == 3:
                found.append((float(words[0]), words[1], bytes.fromhex(words[2])))
        return found


class MqttCounterpart(Counterpart):
    """mosquitto and a subscriber; a stall and a restart are the broker's."""

    name = "mosquitto"

    def __init__(self, folder: Path, stalls_subscriber: bool = False) -> None:
        super().__init__()
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
        if program is None:
            raise MissingError("no mosquitto (apt-get install mosquitto)")
        folder = folder / f"mqtt{stalls_subscriber}"
        folder.mkdir()
        self._port = free_port(socket.SOCK_STREAM)
        user = "user root\n" if os.geteuid() == 0 else ""
        configuration = folder / "mosquitto.conf"
        configuration.write_text(f"listener {self._port} 127.0.0.1\nallow_anonymous true\n{user}")
        self._words = [program, "-c", str(configuration)]
        self._log: IO[bytes] = (folder / "mosquitto.log").open("ab")
        self._start()
        self._stalls_subscriber = self.queues = stalls_subscriber
        self._listener = _Listener("mqtt", self._port, folder / "heard")
        if stalls_subscriber:
            self.name = "mosquitto, subscriber stalls"
        broker = {"mqtt_port": self._port, "max_rate_hz": 50.0}
        for schema in ("home_assistant", "zigbee2mqtt", "esphome", "tasmota"):
            name = f"{schema}{'_slow' * stalls_subscriber}"
            self.devices[name] = ("mqtt", {"topic": name, "schema": schema, **broker})

    def _start(self) -> None:
        self._broker = subprocess.Popen(self._words, stdout=self._log, stderr=self._log)
        _wait_for_port(self._port)

    def stall(self, stalled: bool) -> None:
        """Stop the broker or the subscriber, or let it go on."""
        process = self._listener.process if self._stalls_subscriber else self._broker
        process.send_signal(signal.SIGSTOP if stalled else signal.SIGCONT)

    def restart(self) -> None:
        """Kill the broker and start it again."""
        _end(self._broker)
        time.sleep(0.3)
        self._start()

    def shown(self) -> dict[str, list[Shown]]:
        """Return the commands that the subscriber got."""
        records: dict[str, list[Shown]] = {name: [] for name in self.devices}
        for arrived_s, topic, data in self._listener.lines():
            name = topic.split("/")[0]
            if name in records and (command := _mqtt_command(name, topic, data)) is not None:
                records[name].append(Shown(arrived_s, *command))
        return records

    def close(self) -> None:
        """End broker and subscriber."""
        _end(self._listener.process)
        _end(self._broker)
        self._log.close()


def _mqtt_command(name: str, topic: str, data: bytes) -> tuple[tuple[float, ...], float] | None:
    text = data.decode()
    if name.startswith("tasmota"):
        if topic.endswith("/Power"):
            return (0.0, 0.0, 0.0), 1.0
        if topic.endswith("/Color"):
            return tuple(value / 255.0 for value in bytes.fromhex(text)), 1.0
        return None
    command = json.loads(text)
    if command.get("state") == "OFF":
        return (0.0, 0.0, 0.0), 0.0
    if "color" not in command:
        return None
    full = 254.0 if name.startswith("zigbee2mqtt") else 255.0
    return tuple(command["color"][c] / 255.0 for c in "rgb"), command["brightness"] / full


class WledCounterpart(Counterpart):
    """WLED's interfaces in a process.

    :param protocol: ``json`` or ``ddp``.
    :param is_late: whether commands that were given up still arrive, after their successors.
    """

    def __init__(self, protocol: str, folder: Path, is_late: bool = False) -> None:
        super().__init__()
        self._device = f"{'late_' * is_late}wled_{protocol}"
        self.name = f"WLED's contract, {protocol}"
        self.queues = protocol == "ddp"
        port = free_port(socket.SOCK_STREAM)
        self._http = _Listener(f"{'late_' * is_late}wled", port, folder / self._device)
        self._receivers = [self._http]
        options: dict[str, str | int | float | bool | list[str]] = {
            "host": "127.0.0.1",
            "http_port": port,
            "protocol": protocol,
            "max_rate_hz": 60.0,
        }
        if protocol == "ddp":
            udp_port = free_port(socket.SOCK_DGRAM)
            self._receivers.append(_Listener("udp", udp_port, folder / "ddp"))
            options |= {"ddp_port": udp_port, "led_count": 2}
        _wait_for_port(port)
        self.devices[self._device] = ("wled", options)

    def stall(self, stalled: bool) -> None:
        """Stop the processes, or let them go on."""
        for listener in self._receivers:
            listener.process.send_signal(signal.SIGSTOP if stalled else signal.SIGCONT)

    def restart(self) -> None:
        """Kill the processes and start them again."""
        for listener in self._receivers:
            _end(listener.process)
        time.sleep(0.3)
        for listener in self._receivers:
            listener.start()

    def shown(self) -> dict[str, list[Shown]]:
        """Return the states and packets that arrived."""
        record = []
        for listener in self._receivers:
            for arrived_s, _, data in listener.lines():
                if listener is self._http:
                    record.append(Shown(arrived_s, *_wled_state(json.loads(data))))
                else:
                    rgb = tuple(value / 255.0 for value in data[10:13])
                    record.append(Shown(arrived_s, rgb))
        record.sort(key=lambda shown: shown.arrived_s)
        return {self._device: record}

    def close(self) -> None:
        """End the processes."""
        for listener in self._receivers:
            _end(listener.process)


def _wled_state(state: dict[str, Any]) -> tuple[tuple[float, ...], float]:
    if not state.get("on", True):
        return (0.0, 0.0, 0.0), 0.0
    return tuple(value / 255.0 for value in state["seg"]["col"][0]), state["bri"] / 255.0


class SerialCounterpart(Counterpart):
    """A pseudo-terminal that is drained no faster than a line sends.

    A pseudo-terminal has no output queue. What its other end has not read stands for that, in this
    process only: :meth:`patch`.

    :param kind: ``adalight`` or ``dmx_usb_pro``.
    """

    def __init__(self, kind: str, bytes_per_s: int) -> None:
        super().__init__()
        self.name = f"pseudo-terminal, {kind}"
        self._bytes_per_s = bytes_per_s
        self._reader, self._writer = os.openpty()
        tty.setraw(self._writer)
        self.port = os.ttyname(self._writer)
        self.devices[kind] = (kind, {"port": self.port})
        self._is_adalight = kind == "adalight"
        self._record: list[Shown] = []
        self._goes_on, self._ended = threading.Event(), threading.Event()
        self._goes_on.set()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def unread(self) -> int:
        """Return how many bytes the line has not sent."""
        select.select([self._reader], [], [], 0.05)  # what was written is readable a bit later
        count = array.array("i", [0])
        fcntl.ioctl(self._reader, termios.FIONREAD, count)
        return count[0]

    def discard(self) -> None:
        """Drop the bytes that the line has not sent."""
        termios.tcflush(self._reader, termios.TCIFLUSH)

    def _read(self) -> None:
        buffer = b""
        size, start = (9, b"Ada") if self._is_adalight else (518, b"\x7e\x06")
        while not self._ended.is_set():
            self._goes_on.wait(0.1)
            if not self._goes_on.is_set() or not select.select([self._reader], [], [], 0.1)[0]:
                continue
            count = min(self.unread(), 64)
            buffer += os.read(self._reader, max(1, count))
            while (at := buffer.find(start)) >= 0 and len(buffer) >= at + size:
                frame, buffer = buffer[at : at + size], buffer[at + size :]
                rgb = frame[6:9] if self._is_adalight else frame[5:8]
                self._record.append(Shown(time.monotonic(), tuple(value / 255.0 for value in rgb)))
            time.sleep(count / self._bytes_per_s)

    def stall(self, stalled: bool) -> None:
        """Stop draining, or go on."""
        if stalled:
            self._goes_on.clear()
        else:
            self._goes_on.set()

    def restart(self) -> None:
        """Stall past the line's timeout, so that it is reopened."""
        self.stall(True)
        time.sleep(1.3)
        self.stall(False)

    def shown(self) -> dict[str, list[Shown]]:
        """Return the frames."""
        return {next(iter(self.devices)): self._record}

    def close(self) -> None:
        """End the line."""
        self._ended.set()
        self._thread.join()
        os.close(self._reader)
        os.close(self._writer)


def patch_serial(lines: list[SerialCounterpart]) -> Callable[[], None]:
    """Make serial ports report unsent bytes; return the undo function."""
    try:
        serial: Any = importlib.import_module("serial")
    except ImportError as error:
        raise MissingError("no Python module serial (python3-serial)") from error
    by_port = {line.port: line for line in lines}
    kind = serial.Serial
    names = ("out_waiting", "reset_output_buffer")
    before = {name: kind.__dict__.get(name) for name in names}
    kind.out_waiting = property(lambda port: by_port[port.port].unread())
    kind.reset_output_buffer = lambda port: by_port[port.port].discard()

    def undo() -> None:
        for name, value in before.items():
            if value is None:
                delattr(kind, name)
            else:
                setattr(kind, name, value)

    return undo
