# SPDX-License-Identifier: Apache-2.0
"""Configures and activates a lifecycle node at its start."""

from __future__ import annotations

from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn

from ..options import ConfigError
from .parameters import option_value


class Autostart:
    """Starts a node that has the option ``autostart``, alone or composed with others.

    A start that is refused is tried again by :meth:`retry`, when a parameter has changed.

    :param node: calls :meth:`start` at the end of its constructor.
    """

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._is_refused = False

    def start(self) -> None:
        """Configure and activate the node, if its parameter says so."""
        try:
            is_wanted = option_value(self._node, "autostart")
        except ConfigError as error:
            self._node.get_logger().error(f"not started: {error}")
            return
        if is_wanted:
            self._start()

    def retry(self) -> None:
        """Start the node if its last start was refused."""
        if self._is_refused:
            self._start()

    def give_up(self) -> None:
        """Stop retrying: the state of the node is managed from outside."""
        self._is_refused = False

    def _start(self) -> None:
        self._is_refused = False  # publishers with QoS overrides declare parameters: no retry
        if self._node.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self._node.trigger_activate()
        else:
            self._is_refused = True
