# SPDX-License-Identifier: Apache-2.0
"""Lifecycle nodes that another process configures and activates."""

import pytest
from lifecycle_msgs.srv import GetState

from fer_bringup.graph import fer_light


@pytest.fixture
def start_managed(start_node):
    """Start perception and light as ``autostart:=managed`` does; returns name -> process."""

    def start(**parameters):
        values = fer_light().values(
            {"camera": "false", "autostart": "managed", "namespace": "robot1"}
        )
        return {
            spec.name: start_node(
                spec.package,
                spec.executable,
                spec.name,
                namespace=spec.namespace,
                arguments=spec.arguments,
                parameters=dict(spec.parameters) | parameters.get(spec.name, {}),
            )
            for spec in fer_light().nodes(values)
        }

    return start


@pytest.fixture
def state_of(peer):
    def ask(name):
        client = peer.node.create_client(GetState, f"/robot1/{name}/get_state")
        return peer.call(client, GetState.Request()).current_state.label

    return ask


def test_all_nodes_become_active_and_it_ends(start_managed, state_of):
    started = start_managed()
    assert started["bring_up"].node.process.wait(120) == 0, started["bring_up"].output
    assert state_of("fer_perception") == state_of("ambient_light") == "active"


def test_a_node_that_refuses_is_named_and_the_others_are_brought_up(start_managed, state_of):
    started = start_managed(fer_perception={"model": "/nowhere"})
    assert started["bring_up"].node.process.wait(120) == 1
    output = started["bring_up"].output
    assert "fer_perception did not configure: its own log says why" in output
    assert state_of("fer_perception") == "unconfigured"
    assert state_of("ambient_light") == "active"
    assert output.count("[ERROR]") == 1


def test_it_waits_for_nodes_that_are_not_there_and_a_signal_ends_it(start_node, peer):
    bring_up = start_node("fer_bringup", "bring_up", "bring_up", arguments=("nobody",))
    peer.wait_until(
        lambda: any(name == "bring_up" for name in peer.node.get_node_names()), "the node"
    )
    peer.spin(1.0)
    assert bring_up.running
    assert bring_up.stop() == 0
