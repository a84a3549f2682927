# SPDX-License-Identifier: Apache-2.0
"""Restart failed nodes with back-off, unlike launch's ``respawn``."""

from __future__ import annotations

import time
from typing import Any

from launch.actions import ExecuteProcess, LogInfo, RegisterEventHandler, TimerAction
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration

from launch import Action, LaunchContext

from ..restart_backoff import FIRST_DELAY_S, RestartBackoff, is_failure


def restart_if(
    argument: str, node: Action, first_delay_s: float = FIRST_DELAY_S
) -> RegisterEventHandler:
    """Return the action that restarts a node when it dies.

    :param argument: launch argument that must be true.
    :param first_delay_s: see :class:`~fer_bringup.restart_backoff.RestartBackoff`.
    """
    handler = OnProcessExit(target_action=node, on_exit=_Restart(first_delay_s))
    return RegisterEventHandler(handler, condition=IfCondition(LaunchConfiguration(argument)))


class _Restart:
    """Run the complete command line of a node again."""

    def __init__(self, first_delay_s: float) -> None:
        self._backoff = RestartBackoff(first_delay_s)
        self._started_s = time.monotonic()

    def __call__(self, event: Any, context: LaunchContext) -> list[Action] | None:
        """Return the actions after the exit of the node."""
        if context.is_shutdown or not is_failure(event.returncode):
            return None
        now_s = time.monotonic()
        delay_s = self._backoff.delay_after(now_s - self._started_s)
        self._started_s = now_s + delay_s
        # launch numbers the processes: camera_node-1.
        name = event.process_name.partition("-")[0]
        again = ExecuteProcess(
            cmd=event.cmd,
            name=name,
            cwd=event.cwd,
            env=event.env,
            output="screen",
            on_exit=self,
        )
        return [
            LogInfo(msg=f"{name} died; restarting it in {delay_s:.1f} s"),
            TimerAction(period=delay_s, actions=[again]),
        ]
