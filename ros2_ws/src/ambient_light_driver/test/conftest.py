# SPDX-License-Identifier: Apache-2.0
"""Fixtures: the light as a process, a graph participant, real receivers."""

import atexit
import functools
import itertools
import math
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import settings

from real_peers import (
    PATIENCE_S,
    free_port,
    program_fixture,  # noqa: F401
    start_olad_fixture,  # noqa: F401
    wait_until,
)

# How long an example takes says something about the machine's load, not about the code.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")

ASK_AGAIN_S = 10.0


@functools.cache
def reserved_domain():
    """Reserve a ROS domain for this process.

    What runs in the same domain on one machine may take its ports and leave it deaf.
    """
    from domain_coordinator import domain_id

    candidates = itertools.count(random.randrange(100))
    reservation = domain_id(lambda: 1 + next(candidates) % 100)
    domain = reservation.__enter__()
    atexit.register(reservation.__exit__, None, None, None)
    return str(domain)


@pytest.fixture(scope="session")
def free_tcp_port():
    return lambda: free_port(socket.SOCK_STREAM)


@pytest.fixture(scope="session", name="wait_until")
def wait_until_fixture():
    return wait_until


class LightProcess:
    """A running ``light_node``."""

    def __init__(self, log, parameters, command=None, arguments=()):
        self._log = log
        command = command or [
            sys.executable,
            "-m",
            "ambient_light_driver.nodes.light_node",
        ]
        options = [x for name, value in parameters.items() for x in ("-p", f"{name}:={value}")]
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [*command, "--ros-args", *options, *arguments],
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )

    def output(self):
        return self._log.read_text()

    def stop(self, number=signal.SIGINT):
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)


@pytest.fixture
def start_light(tmp_path, graph):
    """Start ``light_node`` with parameters given as a dictionary; ends with the test."""
    pytest.importorskip("fer_msgs", reason="the packages are not built: run 'make build'")
    running = []

    def start(parameters=None, **kwargs):
        log = tmp_path / f"light{len(running)}.log"
        light = LightProcess(log, parameters or {}, **kwargs)
        running.append(light)
        return light

    yield start
    for light in running:
        light.kill()


class Graph:
    """A test node that publishes emotions and receives the light's messages."""

    def __init__(self):
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from fer_msgs.msg import EmotionArray
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.qos import DurabilityPolicy, QoSProfile
        from std_msgs.msg import ColorRGBA

        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=int(reserved_domain()))
        self.node = rclpy.create_node("light_test", context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self.colors = []
        self.diagnostics = {}
        latched = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.node.create_subscription(ColorRGBA, "/ambient_light/color", self._on_color, latched)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 100)
        self._emotions = self.node.create_publisher(EmotionArray, "/emotions", 10)

    def _on_color(self, message):
        self.colors.append((message.r, message.g, message.b, message.a))

    def _on_diagnostics(self, message):
        for status in message.status:
            values = {item.key: item.value for item in status.values}
            self.diagnostics[status.name] = (status.level, status.message, values)

    def spin(self, seconds=0.05):
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left_s)

    def wait_until(self, condition, what, each_time=lambda: None):
        """Take part in the graph until ``condition()`` is true."""

        def spin_and_look():
            each_time()
            self.spin(0.02)
            return condition()

        return wait_until(spin_and_look, what)

    def call(self, service_type, name, request):
        """Call a service and return its answer; ask again when none comes.

        A server answers no client that it has not discovered yet, even one that knows it.
        """
        client = self.node.create_client(service_type, name)
        self.wait_until(client.service_is_ready, f"service {name}")
        futures = []
        asked_s = -math.inf

        def answers():
            nonlocal asked_s
            if time.monotonic() - asked_s > ASK_AGAIN_S:
                asked_s = time.monotonic()
                futures.append(client.call_async(request))
            return [future.result() for future in futures if future.done()]

        self.wait_until(answers, f"an answer of {name}")
        self.node.destroy_client(client)
        return answers()[0]

    def publish(self, message):
        self._emotions.publish(message)

    def show(self, emotion, face_id="f0001", score=1.0):
        """Publish one face that looks like ``emotion``, or none for None."""
        self.publish(self.emotions(emotion, face_id, score))

    @staticmethod
    def emotions(emotion, face_id="f0001", score=1.0):
        from fer_msgs.msg import EmotionArray, EmotionStamped

        message = EmotionArray(image_width=640, image_height=480)
        if emotion is not None:
            face = EmotionStamped(face_id=face_id, emotion=emotion)
            face.roi.x_offset, face.roi.y_offset = 270, 190
            face.roi.width = face.roi.height = 100
            scores = [(1.0 - score) / 6.0] * 7
            scores[getattr(EmotionStamped, emotion.upper())] = score
            face.scores = scores
            message.faces = [face]
        return message

    def set_parameter(self, name, value):
        """Set a parameter of the light; return the reason of a refusal."""
        from rcl_interfaces.srv import SetParameters
        from rclpy.parameter import Parameter

        request = SetParameters.Request()
        request.parameters = [Parameter(name, value=value).to_parameter_msg()]
        result = self.call(SetParameters, "/ambient_light/set_parameters", request).results[0]
        return "" if result.successful else result.reason

    def change_state(self, transition):
        """Ask for a lifecycle transition by its id; return whether it succeeded."""
        from lifecycle_msgs.srv import ChangeState

        request = ChangeState.Request()
        request.transition.id = transition
        return self.call(ChangeState, "/ambient_light/change_state", request).success

    def state(self):
        from lifecycle_msgs.srv import GetState

        answer = self.call(GetState, "/ambient_light/get_state", GetState.Request())
        return answer.current_state.label

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()


@pytest.fixture
def graph(monkeypatch):
    pytest.importorskip("rclpy", reason="no ROS 2: the node itself was not tested")
    monkeypatch.setenv("ROS_DOMAIN_ID", reserved_domain())
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    graph = Graph()
    yield graph
    graph.close()


class Mosquitto:
    """A broker that can be stopped, started again and frozen."""

    def __init__(self, program, folder, port, lines, wait_until):
        self.port = port
        self._wait_until = wait_until
        config = folder / "mosquitto.conf"
        user = ["user root"] if os.geteuid() == 0 else []
        config.write_text("\n".join([f"listener {port} 127.0.0.1", *user, *lines]) + "\n")
        self._command = [program, "-c", str(config)]
        self._log = (folder / "mosquitto.log").open("ab")
        self.start()

    def start(self):
        self.process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log)
        self._wait_until(self._listens, "mosquitto")

    def _listens(self):
        assert self.process.poll() is None, Path(self._log.name).read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def start_broker(program, tmp_path, free_tcp_port, wait_until):
    path = program("mosquitto", "mosquitto", "what a real MQTT broker gets")
    brokers = []

    def start(*lines):
        lines = lines or ("allow_anonymous true",)
        broker = Mosquitto(path, tmp_path, free_tcp_port(), lines, wait_until)
        brokers.append(broker)
        return broker

    yield start
    for broker in brokers:
        broker.stop()


class SerialPair:
    """Two ports of which one gets what is written to the other."""

    def __init__(self, program, folder, wait_until):
        self.port = folder / "lamp"
        other = folder / "other"
        self.process = subprocess.Popen(
            [program, f"pty,raw,echo=0,link={self.port}", f"pty,raw,echo=0,link={other}"]
        )
        wait_until(lambda: self.port.exists() and other.exists(), "socat's ports")
        self.descriptor = os.open(other, os.O_RDONLY | os.O_NOCTTY)

    def read(self, count):
        data = b""
        while len(data) < count:
            data += os.read(self.descriptor, count - len(data))
        return data

    def unplug(self):
        self.process.terminate()
        self.process.wait()

    def close(self):
        self.unplug()
        os.close(self.descriptor)


@pytest.fixture
def serial_pair(program, tmp_path, wait_until):
    path = program("socat", "socat", "what lamps on a serial line receive")
    pair = SerialPair(path, tmp_path, wait_until)
    yield pair
    pair.close()
