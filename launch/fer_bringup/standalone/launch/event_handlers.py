# SPDX-License-Identifier: Apache-2.0
"""Stand-in for ``launch.event_handlers``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from . import Action, LaunchContext


@dataclass(frozen=True)
class ProcessExited:
    """A process has ended.

    :ivar action: the action that started it.
    :ivar returncode: negative for the signal that killed it.
    """

    action: Action
    process_name: str
    cmd: list[str]
    cwd: str | None
    env: dict[str, str]
    returncode: int


ExitCallback = Callable[[ProcessExited, LaunchContext], Iterable[Action] | None]


@dataclass(frozen=True, kw_only=True)
class OnProcessExit:
    """Call a function when the process of an action has ended."""

    target_action: Action
    on_exit: ExitCallback
