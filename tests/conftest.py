# SPDX-License-Identifier: Apache-2.0
"""Fixtures that run real nodes, each test in its own ROS domain."""

import math
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile

from chromium import Chromium
from fer_bringup.fast_dds import PROFILE_VARIABLES
from fer_bringup.standalone.processes import NodeProcess, NodeSpec, start, stop
from real_peers import find_program
from robustness.soak.domain import own_domain
from small_disk import small_disk_fixture  # noqa: F401

REPOSITORY = Path(__file__).resolve().parent.parent
ASK_AGAIN_S = 10.0
UDP_PROFILE = """<?xml version="1.0" encoding="UTF-8" ?>
<profiles xmlns="http://www.eprosima.com">
  <transport_descriptors>
    <transport_descriptor>
      <transport_id>loopback</transport_id>
      <type>UDPv4</type>
      <interfaceWhiteList><address>127.0.0.1</address></interfaceWhiteList>
    </transport_descriptor>
  </transport_descriptors>
  <participant profile_name="udp_only" is_default_profile="true">
    <rtps>
      <userTransports><transport_id>loopback</transport_id></userTransports>
      <useBuiltinTransports>false</useBuiltinTransports>
    </rtps>
  </participant>
</profiles>
"""


@pytest.fixture
def repository() -> Path:
    """Root of the repository."""
    return REPOSITORY


@pytest.fixture
def media() -> Path:
    """Photographs and clips that are not part of the repository."""
    folder = REPOSITORY.parent / "shared" / "media"
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing: nothing was checked on real photographs and clips")
    return folder


@pytest.fixture
def chromium() -> Iterator[Chromium]:
    """A browser without a window."""
    program = find_program("chromium") or find_program("google-chrome")
    if program is None:
        pytest.skip("Chromium is missing (apt-get install chromium): no page was opened")
    browser = Chromium(program)
    yield browser
    browser.close()


@pytest.fixture
def ros_domain() -> Iterator[int]:
    """A reserved ROS domain, set for all processes of the test."""
    with own_domain() as domain:
        yield domain


@pytest.fixture
def udp_only(ros_domain: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the processes started by the test use UDP only."""
    profile = tmp_path / "udp_only.xml"
    profile.write_text(UDP_PROFILE)
    for name in PROFILE_VARIABLES:
        monkeypatch.setenv(name, str(profile))
    # With a narrower range ROS adds a transport over shared memory.
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SYSTEM_DEFAULT")


class Peer:
    """A node of the test itself, in the test's domain."""

    def __init__(self, domain: int) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("test_peer", context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)

    def collect(self, message_type: type, topic: str, qos: QoSProfile | int = 10) -> list[Any]:
        """Return a list to which each message of the topic is appended."""
        received: list[Any] = []
        self.node.create_subscription(message_type, topic, received.append, qos)
        return received

    def spin(self, seconds: float) -> None:
        """Handle messages for some time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.02)

    def wait_until(
        self,
        condition: Callable[[], Any],
        what: str,
        timeout_s: float = 60.0,
        nodes: tuple[NodeProcess, ...] = (),
    ) -> None:
        """Handle messages until the condition holds.

        :param what: description of the condition, for the error message.
        :param nodes: processes that must not end in the meantime.
        """
        end = time.monotonic() + timeout_s
        while not condition():
            failed = [node.spec.name for node in nodes if not node.running]
            assert not failed, f"{failed} ended while the test waited for {what}"
            assert time.monotonic() < end, f"waited {timeout_s} s for {what}"
            self._executor.spin_once(timeout_sec=0.02)

    def call(self, client: Any, request: Any, timeout_s: float = 60.0) -> Any:
        """Call a service and return its response; retry without one.

        A server does not respond to a client that it has not discovered yet.
        """
        self.wait_until(client.service_is_ready, f"service {client.srv_name}", timeout_s)
        futures: list[Any] = []
        asked_s = -math.inf

        def answers() -> list[Any]:
            nonlocal asked_s
            if time.monotonic() - asked_s > ASK_AGAIN_S:
                asked_s = time.monotonic()
                futures.append(client.call_async(request))
            return [future.result() for future in futures if future.done()]

        self.wait_until(answers, f"the answer of {client.srv_name}", timeout_s)
        return answers()[0]

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture
def peer(ros_domain: int) -> Iterator[Peer]:
    """A node of the test itself."""
    peer = Peer(ros_domain)
    yield peer
    peer.close()


class StartedNode:
    """A node started by the test, and its output."""

    def __init__(self, node: NodeProcess, log: IO[bytes]) -> None:
        self.node = node
        self._log = log

    @property
    def output(self) -> str:
        """Output of the node so far."""
        return Path(self._log.name).read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Process id."""
        return self.node.process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.node.running

    def stop(self, signum: int = signal.SIGINT) -> int:
        """Send a signal, wait for the end and return the exit code."""
        stop([self.node], signum)
        return self.node.process.returncode


@pytest.fixture
def start_node(ros_domain: int, tmp_path: Path) -> Iterator[Callable[..., StartedNode]]:
    """Start a node from the install space: ``start_node(package, executable, name, ...)``.

    Keywords are those of :class:`fer_bringup.standalone.processes.NodeSpec`, and ``variables``
    for its environment. At the end of the test a node that still runs is stopped
    by SIGINT and must end cleanly.
    """
    started: list[StartedNode] = []

    def start_one(
        package: str,
        executable: str,
        name: str,
        *,
        variables: dict[str, str] | None = None,
        parameters: dict[str, Any] | None = None,
        **spec: Any,
    ) -> StartedNode:
        spec = {"parameters": tuple((parameters or {}).items()), **spec}
        log = tempfile.NamedTemporaryFile(  # noqa: SIM115 - lives as long as the node
            dir=tmp_path, prefix=f"{name}_", suffix=".log", delete=False
        )
        [node] = start([NodeSpec(package, executable, name, **spec)], variables, log)
        started.append(StartedNode(node, log))
        return started[-1]

    yield start_one
    for node in started:
        if node.running:
            assert node.stop() == 0, f"{node.node.failure or 'did not end cleanly'}\n{node.output}"
        assert "Traceback" not in node.output, node.output


@pytest.fixture
def start_specs(start_node: Callable[..., StartedNode]) -> Callable[..., list[StartedNode]]:
    """Start the nodes of a launch file: ``start_specs(processes("fer_light"))``."""

    def start_all(specs: Iterable[NodeSpec]) -> list[StartedNode]:
        return [
            start_node(
                spec.package,
                spec.executable,
                spec.name,
                params_files=spec.params_files,
                parameters=dict(spec.parameters),
                remappings=spec.remappings,
                namespace=spec.namespace,
                arguments=spec.arguments,
            )
            for spec in specs
        ]

    return start_all


@pytest.fixture
def plain_environment() -> dict[str, str]:
    """The environment without a sourced ROS 2 and without a choice of Python."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ROS_", "_ROS", "AMENT", "COLCON", "CMAKE", "PYTHON", "MAKE"))
    }
