# SPDX-License-Identifier: Apache-2.0
"""Stand-in for ``launch.actions``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..processes import CommandSpec
from . import Action, LaunchContext, LaunchDescription, SomeText, text_of, visit
from .event_handlers import ExitCallback, OnProcessExit
from .launch_description_sources import PythonLaunchDescriptionSource


class DeclareLaunchArgument(Action):
    """Declare a launch argument.

    :param choices: the allowed values; any if None.
    """

    def __init__(
        self,
        name: str,
        *,
        default_value: str,
        description: str,
        choices: Sequence[str] | None = None,
        condition: Any = None,
    ) -> None:
        super().__init__(condition=condition)
        self.name, self.description = name, description
        self.default_value, self.choices = default_value, choices

    def execute(self, context: LaunchContext) -> None:
        """Set the default unless a value is given.

        :raises ValueError: when the value is not allowed.
        """
        value = context.launch_configurations.setdefault(self.name, self.default_value)
        if self.choices is not None and value not in self.choices:
            choices = ", ".join(map(repr, self.choices))
            raise ValueError(f"argument {self.name!r} is {value!r}: choose one of {choices}")


class SetLaunchConfiguration(Action):
    """Set a launch configuration."""

    def __init__(self, name: str, value: SomeText) -> None:
        super().__init__()
        self._name, self._value = name, value

    def execute(self, context: LaunchContext) -> None:
        """Set it."""
        context.launch_configurations[self._name] = text_of(context, self._value)


class SetEnvironmentVariable(Action):
    """Set an environment variable for later processes in the scope."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__()
        self._name, self._value = name, value

    def execute(self, context: LaunchContext) -> None:
        """Set it."""
        context.environment[self._name] = self._value


class GroupAction(Action):
    """Actions in a scope of configurations and environment."""

    def __init__(self, actions: Iterable[Action], *, condition: Any = None) -> None:
        super().__init__(condition=condition)
        self._actions = list(actions)

    def get_sub_entities(self) -> Sequence[Action]:
        """Return the actions."""
        return self._actions

    def execute(self, context: LaunchContext) -> None:
        """Visit the actions, then restore the scope."""
        before = dict(context.launch_configurations), dict(context.environment)
        for action in self._actions:
            visit(action, context)
        context.launch_configurations, context.environment = before


class IncludeLaunchDescription(Action):
    """Visit the description of another launch file."""

    def __init__(
        self,
        source: PythonLaunchDescriptionSource,
        *,
        launch_arguments: Iterable[tuple[str, SomeText]] = (),
        condition: Any = None,
    ) -> None:
        super().__init__(condition=condition)
        self._source = source
        self.launch_arguments = tuple(launch_arguments)

    def get_sub_entities(self) -> Sequence[LaunchDescription]:
        """Return the description."""
        return [self._source.get_launch_description()]

    def execute(self, context: LaunchContext) -> list[Action | LaunchDescription]:
        """Set the arguments, then visit the description."""
        values = [SetLaunchConfiguration(*pair) for pair in self.launch_arguments]
        return [*values, *self.get_sub_entities()]


class OpaqueFunction(Action):
    """Call a function that may return actions."""

    def __init__(
        self,
        *,
        function: Callable[[LaunchContext], Iterable[Action] | None],
        condition: Any = None,
    ) -> None:
        super().__init__(condition=condition)
        self._function = function

    def execute(self, context: LaunchContext) -> Iterable[Action] | None:
        """Call it."""
        return self._function(context)


class ExecuteProcess(Action):
    """Start a program.

    :param on_exit: actions after its exit.
    :param output: ignored; the program inherits this process's output.
    """

    def __init__(
        self,
        *,
        cmd: Iterable[SomeText] = (),
        name: str = "",
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        output: str = "screen",
        on_exit: Action | ExitCallback | None = None,
        condition: Any = None,
    ) -> None:
        super().__init__(condition=condition)
        self._words, self._name, self._cwd, self._env = tuple(cmd), name, cwd, env
        self._on_exit = on_exit

    def execute(self, context: LaunchContext) -> None:
        """Request to start the program."""
        words = tuple(text_of(context, word) for word in self._words)
        environment = dict(context.environment if self._env is None else self._env)
        self._start(context, CommandSpec(self._name or words[0], words, environment, self._cwd))

    def _start(self, context: LaunchContext, spec: Any) -> None:
        context.started.append((self, spec))
        on_exit = self._on_exit
        if isinstance(on_exit, Action):
            context.handlers.append(
                OnProcessExit(target_action=self, on_exit=lambda *_: [on_exit])
            )
        elif on_exit is not None:
            context.handlers.append(OnProcessExit(target_action=self, on_exit=on_exit))


class RegisterEventHandler(Action):
    """Register an event handler."""

    def __init__(self, event_handler: OnProcessExit, *, condition: Any = None) -> None:
        super().__init__(condition=condition)
        self._handler = event_handler

    def execute(self, context: LaunchContext) -> None:
        """Register it."""
        context.handlers.append(self._handler)


class TimerAction(Action):
    """Visit actions after a delay.

    :param period: the delay [s].
    """

    def __init__(self, *, period: float, actions: Iterable[Action]) -> None:
        super().__init__()
        self._period_s, self._actions = period, list(actions)

    def execute(self, context: LaunchContext) -> None:
        """Start the timer."""
        context.timers.append((self._period_s, self._actions))


class LogInfo(Action):
    """Print a message."""

    def __init__(self, *, msg: SomeText) -> None:
        super().__init__()
        self._message = msg

    def execute(self, context: LaunchContext) -> None:
        """Print it."""
        print(text_of(context, self._message), file=sys.stderr, flush=True)


class Shutdown(Action):
    """End all processes."""

    def execute(self, context: LaunchContext) -> None:
        """Request the shutdown."""
        context.is_shutdown = True
