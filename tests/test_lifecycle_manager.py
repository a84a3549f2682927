# SPDX-License-Identifier: Apache-2.0
"""Lifecycle nodes managed by another process."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState

from launched import launched


@pytest.fixture
def start_managed(start_node):
    """Start perception and light like ``autostart:=managed``; return name -> process."""

    def start(given=(), **parameters):
        specs = launched(
            "fer_light",
            camera="false",
            aggregator="false",
            autostart="managed",
            namespace="robot1",
            **dict(given),
        )
        started = {
            name: start_node(
                spec.package,
                spec.executable,
                name,
                namespace=spec.namespace,
                arguments=spec.arguments,
                params_files=spec.params_files,
                parameters=dict(spec.parameters) | parameters.get(name, {}),
            )
            for name, spec in specs.items()
        }
        started["again"] = lambda name: start_node(
            specs[name].package,
            specs[name].executable,
            name,
            namespace=specs[name].namespace,
            parameters=dict(specs[name].parameters),
        )
        return started

    return start


@pytest.fixture
def state_of(peer):
    def ask(name):
        client = peer.node.create_client(GetState, f"/robot1/{name}/get_state")
        return peer.call(client, GetState.Request()).current_state.label

    return ask


def test_all_nodes_become_active_and_a_killed_one_again(start_managed, state_of, peer):
    started = start_managed()
    manager = started["lifecycle_manager"]
    for name in ("fer_perception", "ambient_light"):
        peer.wait_until(lambda name=name: f"{name} is active" in manager.output, "active nodes")
        assert state_of(name) == "active"
    perception = started["fer_perception"]
    perception.node.process.send_signal(signal.SIGKILL)
    perception.node.process.wait(30)
    peer.wait_until(
        lambda: "fer_perception does not respond" in manager.output, "the missing heartbeat"
    )
    started["again"]("fer_perception")
    peer.wait_until(
        lambda: manager.output.count("fer_perception is active") == 2, "the new process"
    )
    assert "fer_perception was restarted: bringing it up again" in manager.output
    assert state_of("fer_perception") == "active"
    assert manager.output.count("ambient_light is active") == 1
    assert manager.stop() == 0


def test_a_node_that_was_deactivated_on_purpose_stays_so(start_managed, state_of, peer):
    manager = start_managed({"perception": "false"})["lifecycle_manager"]
    peer.wait_until(lambda: "ambient_light is active" in manager.output, "the light")
    client = peer.node.create_client(ChangeState, "/robot1/ambient_light/change_state")
    request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE))
    assert peer.call(client, request).success
    peer.spin(3.0)  # three heartbeats
    assert state_of("ambient_light") == "inactive"


def test_it_gives_up_on_a_node_that_refuses_and_brings_up_the_others(
    start_managed, state_of, peer
):
    started = start_managed(
        fer_perception={"model": "/nowhere"}, lifecycle_manager={"attempts": 2}
    )
    manager = started["lifecycle_manager"]
    peer.wait_until(lambda: "[ERROR]" in manager.output, "the error")
    assert "gave up on fer_perception: 2 of 2 attempts failed; correct" in manager.output
    assert manager.output.count("fer_perception did not configure: see its log") == 2
    peer.wait_until(lambda: "ambient_light is active" in manager.output, "the light")
    assert state_of("fer_perception") == "unconfigured"
    assert manager.output.count("[ERROR]") == 1
    assert manager.running


def test_it_gives_up_on_a_node_that_does_not_live(start_managed, state_of, peer):
    started = start_managed({"perception": "false"}, lifecycle_manager={"attempts": 1})
    manager = started["lifecycle_manager"]
    peer.wait_until(lambda: "ambient_light is active" in manager.output, "the light")
    started["ambient_light"].node.process.kill()
    started["ambient_light"].node.process.wait(30)
    started["again"]("ambient_light")
    peer.wait_until(lambda: "gave up on ambient_light: 1 of 1" in manager.output, "the error")
    assert state_of("ambient_light") == "unconfigured"


@pytest.mark.parametrize("executable", ["lifecycle_manager", "bring_up"])
def test_it_waits_for_nodes_that_are_missing_and_a_signal_ends_it(start_node, peer, executable):
    manager = start_node("fer_bringup", executable, "lifecycle_manager", arguments=("nobody", ""))
    peer.wait_until(lambda: "lifecycle_manager" in peer.node.get_node_names(), "the node")
    peer.spin(1.0)
    assert manager.running
    assert manager.stop() == 0


def child_of(parent: int, executable: str) -> int:
    """Return the id of a process's child that runs an executable, or 0."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for child in map(int, children):
        with suppress(FileNotFoundError):
            if executable in Path(f"/proc/{child}/cmdline").read_text():
                return child
    return 0


# As robots include our launch file. In a process of its own: pytest has made 'launch' of the
# folder of that name.
INCLUDED = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import GroupAction, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import PushRosNamespace
from fer_bringup.standalone.launch_file import folder

source = PythonLaunchDescriptionSource(str(folder() / "fer_light.launch.py"))
given = [tuple(word.split(":=", 1)) for word in sys.argv[1:]]
include = IncludeLaunchDescription(source, launch_arguments=given)
service = LaunchService(noninteractive=True)
service.include_launch_description(
    LaunchDescription([GroupAction([PushRosNamespace("robot1"), include])])
)
sys.exit(service.run())
"""


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["-m", "fer_bringup.start", "fer_light", "namespace:=robot1"], id="ours"),
        pytest.param(
            ["-c", INCLUDED],
            id="launch",
            marks=pytest.mark.skipif(
                find_spec("launch_ros") is None,
                reason="launch_ros is not installed: no node was killed under the real launch",
            ),
        ),
    ],
)
def test_a_killed_node_of_a_managed_graph_comes_back_active_in_its_namespace(
    ros_domain, state_of, peer, tmp_path, command
):
    words = [sys.executable, *command, "camera:=false", "light:=false"]
    words += ["aggregator:=false", "autostart:=managed"]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        peer.wait_until(lambda: "fer_perception is active" in log.read_text(), "the start")
        first = child_of(process.pid, "emotion_node")
        os.kill(first, signal.SIGKILL)
        peer.wait_until(
            lambda: log.read_text().count("fer_perception is active") == 2, "the restart"
        )
        assert child_of(process.pid, "emotion_node") not in (0, first)
        assert state_of("fer_perception") == "active"
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, log.read_text()
