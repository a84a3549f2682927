# SPDX-License-Identifier: Apache-2.0
"""Declares ROS parameters with what a user needs to know of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from ..node_parameter import NodeParameter


def descriptor_of(parameter: NodeParameter) -> ParameterDescriptor:
    """Return what ``ros2 param describe`` shows of ``parameter``."""
    descriptor = ParameterDescriptor(
        description=parameter.description, read_only=parameter.read_only
    )
    if parameter.choices:
        descriptor.additional_constraints = "one of: " + ", ".join(parameter.choices)
    if parameter.limits is None:
        return descriptor
    low, high = parameter.limits
    if isinstance(parameter.default, float):
        descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    else:
        bounds = IntegerRange(from_value=int(low), to_value=int(high), step=1)
        descriptor.integer_range = [bounds]
    return descriptor


def declare(node: Node, parameters: Iterable[NodeParameter]) -> None:
    """Declare ``parameters``; a value from the start that is refused is logged and not used."""
    for parameter in parameters:
        name, default, descriptor = parameter.name, parameter.default, descriptor_of(parameter)
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
