# SPDX-License-Identifier: Apache-2.0
"""Stand-in for ``launch.conditions``."""

from __future__ import annotations

from . import LaunchContext, SomeText, text_of


def truth(context: LaunchContext, expression: SomeText) -> bool:
    """Evaluate a boolean string like launch.

    :raises ValueError: unless the text is true, false, 1 or 0.
    """
    text = text_of(context, expression).strip().lower()
    if text not in ("true", "1", "false", "0"):
        raise ValueError(f"condition {text!r}: expected true or false")
    return text in ("true", "1")


class IfCondition:
    """Hold where an expression is true."""

    def __init__(self, predicate_expression: SomeText) -> None:
        self._expression = predicate_expression

    def evaluate(self, context: LaunchContext) -> bool:
        """Evaluate the expression."""
        return truth(context, self._expression)
