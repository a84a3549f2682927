# SPDX-License-Identifier: Apache-2.0
"""Restart a node that died; launch's own ``respawn`` has no back-off and ignores exit codes."""

from __future__ import annotations

import time
from typing import Any

from launch.actions import ExecuteProcess, LogInfo, RegisterEventHandler, TimerAction
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration

from launch import Action, LaunchContext

from ..restart_backoff import RestartBackoff, is_failure


def restart_if(argument: str, node: Action) -> RegisterEventHandler:
    """Return the action that has a node restarted when it dies.

    :param argument: launch argument that must be true.
    """
    handler = OnProcessExit(target_action=node, on_exit=_Restart())
    return RegisterEventHandler(handler, condition=IfCondition(LaunchConfiguration(argument)))


class _Restart:
    """Run the command line of a node again, with the scope's namespace and parameters in it."""

    def __init__(self) -> None:
        self._backoff = RestartBackoff()
        self._started_s = time.monotonic()

    def __call__(self, event: Any, context: LaunchContext) -> list[Action] | None:
        """Return what to do when the node has exited."""
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
