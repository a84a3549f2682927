# SPDX-License-Identifier: Apache-2.0
"""Processes with removed shared-memory ports exit and are restarted."""

import subprocess
import sys

import pytest
import unlinked_ports
from rclpy.qos import qos_profile_sensor_data
from std_msgs.msg import Header

from fer_common.nodes import shared_memory_watchdog
from real_peers import wait_until
from robustness.soak.world import DASHBOARD, LIGHT, PERCEPTION, World

COMPLAINT = "this process is unreachable: other processes have removed /dev/shm/fast"


@pytest.fixture
def start_listener(ros_domain, tmp_path):
    """Start a node that removes its own ports; return it and its output."""
    started = []

    def start():
        log = tmp_path / "log"
        with log.open("wb") as output:
            words = [sys.executable, unlinked_ports.__file__]
            started.append(subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT))
        return started[-1], log

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def saying(peer):
    """Publish repeatedly."""
    publisher = peer.node.create_publisher(Header, "/said", qos_profile_sensor_data)
    peer.node.create_timer(0.05, lambda: publisher.publish(Header(frame_id="hello")))
    return peer


def test_a_node_that_nobody_finds_ends_with_a_reason(start_listener, request):
    process, log = start_listener()
    wait_until(lambda: "removed" in log.read_text(), "the node")
    # Writers that opened the ports before the removal still reach the reader.
    saying = request.getfixturevalue("saying")
    saying.wait_until(lambda: process.poll() is not None, "the end")
    output = log.read_text()
    assert process.returncode == 1 and output.count(COMPLAINT) == 1, output
    assert "removed 0 ports" not in output and "heard" not in output
    assert "Traceback" not in output


def test_a_node_without_shared_memory_is_left_alone(saying, udp_only, start_listener):
    process, log = start_listener()
    saying.wait_until(lambda: "heard hello" in log.read_text(), "what was said")
    saying.spin(1.5 * shared_memory_watchdog.PATIENCE * shared_memory_watchdog.LOOK_PERIOD_S)
    process.terminate()
    assert process.wait(60.0) == 0
    assert "removed 0 ports" in log.read_text() and COMPLAINT not in log.read_text()


@pytest.fixture(scope="module")
def world():
    with World(is_lively=True) as world:
        world.dashboard_port()
        yield world
        assert world.stop() == 0, world.output
        assert "Traceback" not in world.output


@pytest.mark.parametrize("name", [PERCEPTION, LIGHT, DASHBOARD])
def test_it_is_started_again_and_hears(world, name):
    before = {node: world.pid(node) for node in (PERCEPTION, LIGHT, DASHBOARD)}
    said = world.output.count(COMPLAINT)
    pages = world.output.count("dashboard: http") + (name == DASHBOARD)
    assert unlinked_ports.remove_ports(before[name])
    world.wait_until(lambda: world.pid(name) not in (before[name], None), "its successor")
    world.wait_until(lambda: world.output.count("dashboard: http") == pages, "the page")
    world.wait_for_recovery()
    after = {node: world.pid(node) for node in (PERCEPTION, LIGHT, DASHBOARD)}
    assert {node for node in before if before[node] != after[node]} == {name}
    assert world.output.count(COMPLAINT) == said + 1
    assert world.lamp.flashes.worst_flashes <= 3
