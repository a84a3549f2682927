# SPDX-License-Identifier: Apache-2.0
"""Declares ROS parameters with what a user needs to know of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node


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

    @property
    def descriptor(self) -> ParameterDescriptor:
        """Return what ``ros2 param describe`` shows."""
        descriptor = ParameterDescriptor(description=self.description, read_only=self.read_only)
        if self.choices:
            descriptor.additional_constraints = "one of: " + ", ".join(self.choices)
        if self.limits is not None and isinstance(self.default, float):
            low, high = self.limits
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
        elif self.limits is not None:
            bounds = IntegerRange(
                from_value=int(self.limits[0]), to_value=int(self.limits[1]), step=1
            )
            descriptor.integer_range = [bounds]
        return descriptor

    def refusal(self, value: object) -> str:
        """Return why ``value`` is not one of the choices, or nothing if it is."""
        if self.choices and value not in self.choices:
            return f"{self.name} is {value!r}: expected one of {', '.join(self.choices)}"
        return ""


def declare(node: Node, parameters: Iterable[NodeParameter]) -> None:
    """Declare ``parameters``; a value from the start that is refused is logged and not used."""
    for parameter in parameters:
        name, default, descriptor = parameter.name, parameter.default, parameter.descriptor
        try:
            value = node.declare_parameter(name, default, descriptor).value
            reason = parameter.refusal(value)
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            node.declare_parameter(name, default, descriptor, ignore_override=True)
            reason = str(error)
        if reason:
            node.get_logger().error(f"{reason} Using {name} = {default!r} instead.")
            if node.get_parameter(name).value != default:
                node.undeclare_parameter(name)
                node.declare_parameter(name, default, descriptor, ignore_override=True)


def values(node: Node, parameters: Iterable[NodeParameter]) -> dict[str, Any]:
    """Return the present value of each of ``parameters`` by its name."""
    return {parameter.name: node.get_parameter(parameter.name).value for parameter in parameters}
