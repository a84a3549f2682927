# SPDX-License-Identifier: Apache-2.0
"""Lifecycle nodes that start themselves, composed in one process with others."""

from dataclasses import dataclass

import pytest

from fer_common.options import option

rclpy = pytest.importorskip("rclpy", reason="no rclpy here: no lifecycle node was started")

from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402

from fer_common.nodes.autostart import Autostart  # noqa: E402
from fer_common.nodes.parameters import declare_options  # noqa: E402
from fer_common.nodes.world_time import world_time_s  # noqa: E402


@dataclass(frozen=True)
class Settings:
    autostart: bool = option(True, "Start.", read_only=True)
    is_possible: bool = option(True, "Whether the node can be configured.")


class Node(LifecycleNode):
    def __init__(self, **kwargs):
        super().__init__("tested", **kwargs)
        declare_options(self, Settings)
        self.calls = []
        self.add_post_set_parameters_callback(lambda _: self.autostart.retry())
        self.autostart = Autostart(self)
        self.autostart.start()

    def on_configure(self, state):
        self.calls.append("configure")
        is_possible = self.get_parameter("is_possible").value
        return (
            TransitionCallbackReturn.SUCCESS if is_possible else TransitionCallbackReturn.FAILURE
        )

    def on_activate(self, state):
        self.calls.append("activate")
        return super().on_activate(state)


@pytest.fixture
def make_node():
    context = rclpy.Context()
    rclpy.init(context=context, args=[])
    nodes = []

    def make(*parameters):
        words = [word for parameter in parameters for word in ("-p", parameter)]
        words = ["--ros-args", *words] if words else None
        nodes.append(Node(context=context, cli_args=words))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


def test_a_node_is_active_when_its_constructor_returns(make_node):
    assert make_node().calls == ["configure", "activate"]


@pytest.mark.parametrize("parameter", ["autostart:=false", "autostart:='False'"])
def test_a_node_that_others_manage_does_not_start_itself(make_node, parameter):
    node = make_node(parameter)
    assert node.set_parameters([Parameter("is_possible", value=True)])[0].successful
    assert node.calls == []


def test_a_node_does_not_start_by_a_value_that_is_not_clear(make_node):
    assert make_node("autostart:=sometimes").calls == []


def test_a_refused_start_is_tried_again_when_a_parameter_changes_and_only_then(make_node):
    node = make_node("is_possible:=false")
    assert node.calls == ["configure"]
    assert node.set_parameters([Parameter("is_possible", value=True)])[0].successful
    assert node.calls == ["configure", "configure", "activate"]
    assert node.set_parameters([Parameter("is_possible", value=True)])[0].successful
    assert node.calls == ["configure", "configure", "activate"]


def test_a_start_that_was_given_up_is_not_tried_again(make_node):
    node = make_node("is_possible:=false")
    node.autostart.give_up()
    assert node.set_parameters([Parameter("is_possible", value=True)])[0].successful
    assert node.calls == ["configure"]


def test_time_goes_on_without_a_simulations_clock(make_node):
    node = make_node("use_sim_time:=true")
    first_s = world_time_s(node)
    assert node.get_clock().now().nanoseconds == 0
    assert 0.0 < first_s < world_time_s(node)
