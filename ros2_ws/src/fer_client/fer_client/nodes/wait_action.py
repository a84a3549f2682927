# SPDX-License-Identifier: Apache-2.0
"""Client of the action ``WaitForExpression`` with queues for many goals at once."""

from __future__ import annotations

from typing import Final

from fer_msgs.action import WaitForExpression
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.qos import QoSProfile

MANY_GOALS: Final = QoSProfile(depth=1000)
"""For requests, answers and feedback.

All goals of a server share its topics, so that answers to others fill a client's queue as well:
the default of 10 loses results when some dozens of goals end at once.
"""


def create_wait_client(node: Node, action: str) -> ActionClient:
    """Return a client that loses no result of many goals.

    :param action: name of the action, relative to the node's namespace.
    """
    return ActionClient(
        node,
        WaitForExpression,
        action,
        goal_service_qos_profile=MANY_GOALS,
        result_service_qos_profile=MANY_GOALS,
        feedback_sub_qos_profile=MANY_GOALS,
    )
