# SPDX-License-Identifier: Apache-2.0
"""Stand-in for ``launch.substitutions``."""

from __future__ import annotations

from . import LaunchContext, SomeText, Substitution, text_of
from .conditions import truth


class LaunchConfiguration(Substitution):
    """Value of a launch argument."""

    def __init__(self, name: str) -> None:
        self.name = name

    def perform(self, context: LaunchContext) -> str:
        """Return the value.

        :raises ValueError: when the argument is not declared.
        """
        if self.name not in context.launch_configurations:
            raise ValueError(f"launch configuration {self.name!r} does not exist")
        return str(context.launch_configurations[self.name])


class EqualsSubstitution(Substitution):
    """``true`` if two texts are equal, else ``false``."""

    def __init__(self, left: SomeText, right: SomeText) -> None:
        self._left, self._right = left, right

    def perform(self, context: LaunchContext) -> str:
        """Compare."""
        return str(text_of(context, self._left) == text_of(context, self._right)).lower()


class NotEqualsSubstitution(EqualsSubstitution):
    """``false`` if two texts are equal, else ``true``."""

    def perform(self, context: LaunchContext) -> str:
        """Compare."""
        return "false" if super().perform(context) == "true" else "true"


class AllSubstitution(Substitution):
    """``true`` if all conditions hold, else ``false``."""

    def __init__(self, *conditions: SomeText) -> None:
        self._conditions = conditions

    def perform(self, context: LaunchContext) -> str:
        """Evaluate."""
        return str(all(truth(context, condition) for condition in self._conditions)).lower()


class AnySubstitution(AllSubstitution):
    """``true`` if one of the conditions holds, else ``false``."""

    def perform(self, context: LaunchContext) -> str:
        """Evaluate."""
        return str(any(truth(context, condition) for condition in self._conditions)).lower()


class IfElseSubstitution(Substitution):
    """One of two texts, chosen by a condition."""

    def __init__(
        self, condition: SomeText, if_value: SomeText = "", else_value: SomeText = ""
    ) -> None:
        self._condition, self._if_value, self._else_value = condition, if_value, else_value

    def perform(self, context: LaunchContext) -> str:
        """Choose."""
        holds = truth(context, self._condition)
        return text_of(context, self._if_value if holds else self._else_value)
