# SPDX-License-Identifier: Apache-2.0
"""Stand-in for the package ``launch``: descriptions, actions and context."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..processes import ProcessSpec
    from .conditions import IfCondition
    from .event_handlers import OnProcessExit

__all__ = [
    "Action",
    "LaunchContext",
    "LaunchDescription",
    "SomeText",
    "Substitution",
    "text_of",
    "visit",
]


class Substitution:
    """A string that depends on the launch configurations."""

    def perform(self, context: LaunchContext) -> str:
        """Return the text."""
        raise NotImplementedError


SomeText = str | Substitution | Iterable[str | Substitution]


class Action:
    """One step of a launch description.

    :param condition: skip the step where it does not hold.
    """

    def __init__(self, *, condition: IfCondition | None = None) -> None:
        self.condition = condition

    def execute(self, context: LaunchContext) -> Iterable[Action | LaunchDescription] | None:
        """Execute the action and return the entities to visit next."""
        return self.get_sub_entities()

    def get_sub_entities(self) -> Sequence[Action | LaunchDescription]:
        """Return the contained entities."""
        return ()


class LaunchDescription:
    """A sequence of actions."""

    def __init__(self, entities: Iterable[Action | LaunchDescription]) -> None:
        self.entities = list(entities)


class LaunchContext:
    """State while launch descriptions are visited.

    :ivar started: processes to start, each with its action.
    :ivar timers: actions to visit, each after a time [s].
    :ivar handlers: handlers of process exits.
    :ivar is_shutdown: whether a shutdown is requested.
    """

    def __init__(self, configurations: dict[str, Any]) -> None:
        self.launch_configurations = dict(configurations)
        self.environment = dict(os.environ)
        self.started: list[tuple[Action, ProcessSpec]] = []
        self.timers: list[tuple[float, list[Action]]] = []
        self.handlers: list[OnProcessExit] = []
        self.is_shutdown = False

    def take_started(self) -> list[tuple[Action, ProcessSpec]]:
        """Return and clear the processes to start."""
        started, self.started = self.started, []
        return started


def visit(entity: Action | LaunchDescription, context: LaunchContext) -> None:
    """Execute an action or description, and the entities it returns."""
    if isinstance(entity, LaunchDescription):
        following: Iterable[Action | LaunchDescription] | None = entity.entities
    elif entity.condition is not None and not entity.condition.evaluate(context):
        return
    else:
        following = entity.execute(context)
    for child in following or ():
        visit(child, context)


def text_of(context: LaunchContext, value: SomeText) -> str:
    """Return the joined text of substitutions."""
    if isinstance(value, str):
        return value
    if isinstance(value, Substitution):
        return value.perform(context)
    return "".join(text_of(context, part) for part in value)
