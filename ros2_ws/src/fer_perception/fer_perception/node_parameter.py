# SPDX-License-Identifier: Apache-2.0
"""A parameter of a node with what a user needs to know of it; knows nothing of ROS.

Nodes declare it to ROS (:mod:`fer_perception.nodes.node_parameters`), command lines offer it as
an option (:mod:`fer_evaluation.pipeline_options`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NodeParameter:
    """A parameter of a node; its default stands here and nowhere else.

    :ivar limits: least and greatest value of a number; None where any is allowed.
    :ivar choices: the strings allowed; empty where any is.
    :ivar read_only: only the start decides.
    """

    name: str
    default: bool | int | float | str
    description: str
    limits: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    read_only: bool = False

    def refusal(self, value: object) -> str:
        """Return why ``value`` is not allowed, or nothing if it is."""
        if self.choices and value not in self.choices:
            return f"{self.name} is {value!r}: expected one of {', '.join(self.choices)}"
        if self.limits is not None and isinstance(value, int | float):
            low, high = self.limits
            if not low <= value <= high:
                return f"{self.name} is {value}: expected {low:g} to {high:g}"
        return ""
