# SPDX-License-Identifier: Apache-2.0
"""Requests of a lifecycle manager that the node's state does not allow."""

from __future__ import annotations

from typing import Any

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode


def refuse_impossible_transitions(node: LifecycleNode) -> None:
    """Answer impossible requests to ``~/change_state`` with ``success=False``.

    rclpy raises them out of the executor, which ends the node.

    :param node: the node; its state does not change with such a request.
    """
    service = getattr(node, "_service_change_state", None)
    change_state = getattr(service, "callback", None)
    if service is None or change_state is None:
        return  # another rclpy, or a node without these services

    def answer(request: Any, response: Any) -> Any:
        try:
            return change_state(request, response)
        except rclpy_implementation.RCLError as error:
            wanted = request.transition.label or request.transition.id
            node.get_logger().warning(
                f"change_state: transition {wanted} refused in the present state ({error}); "
                "'ros2 lifecycle list' shows those that are possible"
            )
            response.success = False
            return response

    service.callback = answer
