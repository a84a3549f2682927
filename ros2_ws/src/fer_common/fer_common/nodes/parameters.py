# SPDX-License-Identifier: Apache-2.0
"""ROS parameters made from option dataclasses: one declaration, one default, one range.

Parameters are typed statically, so that tools show and edit them with their type. A value of
another type with an unambiguous conversion, as ``source:=0`` for a string or ``rate_hz:=15`` for
a float, is converted at the start and at run time. A refused start value is never silently
replaced by the default: :func:`config_from_parameters` raises until the parameter is set.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, TypeVar, get_type_hints
from weakref import WeakKeyDictionary, ref

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import ParameterNotDeclaredException
from rclpy.node import Node
from rclpy.parameter import Parameter

from ..options import ConfigError, Option, build_config, checked_value, defaults_of, options_of

T = TypeVar("T")

_INTEGER_LIMIT = 2**31


class _DeclaredOptions:
    """The options of one node: convert and check the values set.

    rclpy chains several pre-set callbacks wrongly (each gets the original list, and the results
    are concatenated), so a node has one for all its options.
    """

    def __init__(self, node: Node) -> None:
        self._node = ref(node)
        self.types: dict[str, tuple[Any, Option]] = {}
        # The default in place of a refused start value, and the reason for the refusal.
        self.refused: dict[str, tuple[Parameter, str]] = {}
        node.add_pre_set_parameters_callback(self._convert)
        node.add_on_set_parameters_callback(self._check)

    def checked(self, name: str, value: object) -> Any:
        return checked_value(value, *self.types[name], name)

    def _convert(self, parameters: Sequence[Parameter]) -> list[Parameter]:
        self._refuse_undeclared(parameters)
        return [self._converted(parameter) for parameter in parameters]

    def _refuse_undeclared(self, parameters: Sequence[Parameter]) -> None:
        """Raise rclpy's exception, with the names that rclpy leaves out."""
        node = self._node()
        if node is None:
            return
        undeclared = [p.name for p in parameters if not node.has_parameter(p.name)]
        if undeclared:
            declared = node.get_parameters_by_prefix("")
            raise ParameterNotDeclaredException(
                ", ".join(with_similar(name, declared) for name in undeclared)
            )

    def _converted(self, parameter: Parameter) -> Parameter:
        if parameter.name not in self.types or parameter.type_ == Parameter.Type.NOT_SET:
            return parameter
        try:
            value = self.checked(parameter.name, parameter.value)
        except ConfigError:
            return parameter  # refused by rclpy or by _check, with the reason
        return Parameter(parameter.name, value=_ros_value(value))

    def _check(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        try:
            for parameter in parameters:
                if parameter.name in self.types:
                    self.checked(parameter.name, parameter.value)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)


_options_by_node: WeakKeyDictionary[Node, _DeclaredOptions] = WeakKeyDictionary()


def with_similar(name: str, known: Iterable[str]) -> str:
    """Return an unknown name in quotes, with a similar known one."""
    close = get_close_matches(name, list(known), n=1)
    return f"{name!r}" + (f" (did you mean {close[0]!r}?)" if close else "")


def parameter_descriptor(info: Option, default: object) -> ParameterDescriptor:
    """Describe a parameter: text, range and choices of ``info``."""
    descriptor = ParameterDescriptor(description=info.description, read_only=info.read_only)
    if info.choices:
        descriptor.additional_constraints = "one of: " + ", ".join(map(str, info.choices))
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


def declare_option(
    node: Node, name: str, default: Any, info: Option, expected: Any = None
) -> None:
    """Declare one parameter unless it is already declared.

    A start value is converted as :func:`~fer_common.options.checked_value` does. One that is
    refused is kept as the error that :func:`option_value` and :func:`config_from_parameters`
    raise until the parameter is set.

    :param expected: the value's type; by default that of ``default``.
    """
    if node not in _options_by_node:
        _options_by_node[node] = _DeclaredOptions(node)
    options = _options_by_node[node]
    if name in options.types and node.has_parameter(name):
        return
    options.types.pop(name, None)  # the start value is checked here, not by the callbacks
    if expected is None:
        expected = tuple[str, ...] if isinstance(default, tuple) else type(default)
    reason = ""
    value = default
    # Declared with any type first: rclpy reports the start value in no other way.
    if node.has_parameter(name):
        started = node.get_parameter(name)
    else:
        started = node.declare_parameter(name, None, ParameterDescriptor(dynamic_typing=True))
    if started.type_ != Parameter.Type.NOT_SET:
        try:
            value = checked_value(started.value, expected, info, name)
        except ConfigError as error:
            reason = str(error)
    node.undeclare_parameter(name)
    descriptor = parameter_descriptor(info, default)
    stands_in = node.declare_parameter(name, _ros_value(value), descriptor, ignore_override=True)
    options.types[name] = (expected, info)
    if reason:
        options.refused[name] = (stands_in, reason)


def renamed_value(node: Node, old_name: str) -> object:
    """Return the start value given by a parameter's old name."""
    old = node.declare_parameter(old_name, None, ParameterDescriptor(dynamic_typing=True))
    node.undeclare_parameter(old_name)
    return old.value


def declare_options(
    node: Node, config_type: type, prefix: str = "", changeable: Collection[str] | None = None
) -> None:
    """Declare a parameter ``prefix + key`` for every option of ``config_type``.

    :param changeable: the keys that may change at run time; None for all that are not read-only.
    """
    types = get_type_hints(config_type)
    defaults = defaults_of(config_type)
    for key, info in options_of(config_type).items():
        if changeable is not None and key not in changeable:
            info = replace(info, read_only=True)
        declare_option(node, prefix + key, defaults[key], info, types[key])


def option_value(node: Node, name: str) -> Any:
    """Return the value of a declared option in its declared type.

    :raises ConfigError: when the start value was refused and no value has been set since.
    """
    options = _options_by_node[node]
    parameter = node.get_parameter(name)
    stands_in, reason = options.refused.get(name, (None, ""))
    if parameter is stands_in:  # setting a parameter replaces the object
        raise ConfigError(reason)
    return options.checked(name, parameter.value)


def config_from_parameters(
    node: Node,
    config_type: type[T],
    prefix: str = "",
    changes: Mapping[str, object] | None = None,
    place: str = "",
) -> T:
    """Build ``config_type`` from the declared parameters, overridden by ``changes``.

    :param changes: full parameter name -> value that is about to be set.
    :param place: source of the values, for errors; by default the prefix or node's name.
    :raises ConfigError: when a value is refused, including one given at the start.
    """
    values, errors = {}, []
    for key in options_of(config_type):
        name = prefix + key
        if changes is not None and name in changes:
            values[key] = changes[name]
        elif node.has_parameter(name):
            try:
                values[key] = option_value(node, name)
            except ConfigError as error:
                errors.append(str(error))
    if errors:
        raise ConfigError("; ".join(errors))
    return build_config(config_type, values, place or prefix.rstrip(".") or node.get_name())


def _ros_value(value: Any) -> Any:
    """Return ``value`` in rclpy's form; an empty list has no type there."""
    return (list(value) or [""]) if isinstance(value, tuple) else value
