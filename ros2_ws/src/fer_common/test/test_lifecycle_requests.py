# SPDX-License-Identifier: Apache-2.0
"""Requests that a lifecycle node's state does not allow, over its service."""

import pytest

rclpy = pytest.importorskip("rclpy", reason="no rclpy here: no lifecycle node was asked")

from lifecycle_msgs.msg import State, Transition  # noqa: E402
from lifecycle_msgs.srv import ChangeState, GetState  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.lifecycle import LifecycleNode  # noqa: E402

from fer_common.nodes.lifecycle_requests import refuse_impossible_transitions  # noqa: E402


@pytest.fixture
def ask():
    context = rclpy.Context()
    rclpy.init(context=context, args=[])
    node = LifecycleNode("asked", context=context)
    refuse_impossible_transitions(node)
    asking = rclpy.create_node("asking", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    executor.add_node(asking)

    def answer(service_type, name, **fields):
        client = asking.create_client(service_type, name)
        while not client.service_is_ready():
            executor.spin_once(timeout_sec=0.05)
        future = client.call_async(service_type.Request(**fields))
        executor.spin_until_future_complete(future, timeout_sec=10.0)
        return future.result()

    yield answer
    executor.shutdown()
    node.destroy_node()
    asking.destroy_node()
    rclpy.shutdown(context=context)


def test_an_impossible_transition_is_refused_and_the_node_goes_on(ask):
    def change_state(number):
        return ask(ChangeState, "/asked/change_state", transition=Transition(id=number)).success

    assert change_state(Transition.TRANSITION_CONFIGURE)
    for number in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_DEACTIVATE, 200):
        assert not change_state(number)
    assert ask(GetState, "/asked/get_state").current_state.id == State.PRIMARY_STATE_INACTIVE
    assert change_state(Transition.TRANSITION_ACTIVATE)
