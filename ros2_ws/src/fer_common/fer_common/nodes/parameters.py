# SPDX-License-Identifier: Apache-2.0
"""ROS parameters made from option dataclasses: one declaration, one default, one range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from ..options import Option, build_config, options_of

T = TypeVar("T")

_INTEGER_LIMIT = 2**31


def parameter_descriptor(info: Option, default: object) -> ParameterDescriptor:
    """Describe a parameter: text, range and choices of ``info``."""
    descriptor = ParameterDescriptor(description=info.description)
    if info.choices:
        descriptor.additional_constraints = "one of: " + ", ".join(info.choices)
    limited = info.minimum is not None or info.maximum is not None
    if limited and isinstance(default, float):
        descriptor.floating_point_range = [
            FloatingPointRange(
                from_value=float("-inf") if info.minimum is None else float(info.minimum),
                to_value=float("inf") if info.maximum is None else float(info.maximum),
            )
        ]
    elif limited and isinstance(default, int):
        descriptor.integer_range = [
            IntegerRange(
                from_value=-_INTEGER_LIMIT if info.minimum is None else int(info.minimum),
                to_value=_INTEGER_LIMIT if info.maximum is None else int(info.maximum),
                step=1,
            )
        ]
    return descriptor


def declare_parameter(
    node: Node, name: str, default: Any, descriptor: ParameterDescriptor
) -> None:
    """Declare a parameter unless it is; a refused start value is logged, the default taken."""
    if node.has_parameter(name):
        return
    try:
        node.declare_parameter(name, default, descriptor)
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        node.get_logger().error(f"{error}; taking the default {name} = {default!r}")
        node.declare_parameter(name, default, descriptor, ignore_override=True)


def declare_options(node: Node, config_type: type, prefix: str = "") -> None:
    """Declare a parameter ``prefix + key`` for every option of ``config_type``."""
    known = options_of(config_type)
    for item in fields(config_type):
        if item.name in known:
            descriptor = parameter_descriptor(known[item.name], item.default)
            declare_parameter(node, prefix + item.name, item.default, descriptor)


def config_from_parameters(
    node: Node, config_type: type[T], prefix: str, changes: Mapping[str, object], place: str
) -> T:
    """Build ``config_type`` from the declared parameters, with ``changes`` laid over them.

    :param changes: full parameter name -> value that is about to be set.
    :raises ConfigError: when a value is refused.
    """
    values = {}
    for key in options_of(config_type):
        name = prefix + key
        if name in changes:
            values[key] = changes[name]
        elif node.has_parameter(name):
            values[key] = node.get_parameter(name).value
    return build_config(config_type, values, place)
