# SPDX-License-Identifier: Apache-2.0
"""Configuration as frozen dataclasses whose fields carry description, range and choices.

One declaration of a field serves four readers: the code that uses the value, the check of a
user's value, the ROS parameter made from it (:mod:`fer_common.nodes.parameters`), and the option
of a command line.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")

_NAMES = {
    bool: "a bool (true or false)",
    int: "a whole number",
    float: "a number",
    str: "a string",
    tuple[str, ...]: "a list of strings",
}


class ConfigError(ValueError):
    """Invalid configuration value; the message names place, key and remedy."""


@dataclass(frozen=True, slots=True)
class Option:
    """Description and limits of one configuration value.

    :param description: one sentence, with the unit if there is one.
    :param minimum: smallest number allowed, or None.
    :param maximum: largest number allowed, or None.
    :param choices: all values allowed; empty for any. Of a list: for each of its strings.
    :param read_only: set at the start only.
    """

    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str | int, ...] = ()
    read_only: bool = False


def option(
    default: Any,
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str | int, ...] = (),
    read_only: bool = False,
) -> Any:
    """Declare a dataclass field with its description and limits (see :class:`Option`).

    The field's type is bool, int, float, str or ``tuple[str, ...]``.
    """
    info = Option(description, minimum, maximum, choices, read_only)
    return field(default=default, metadata={"option": info})


def options_of(config_type: type) -> dict[str, Option]:
    """Return name -> :class:`Option` of every field declared by :func:`option`."""
    return {f.name: f.metadata["option"] for f in fields(config_type) if "option" in f.metadata}


def defaults_of(config_type: type) -> dict[str, Any]:
    """Return name -> default of every field declared by :func:`option`."""
    return {f.name: f.default for f in fields(config_type) if "option" in f.metadata}


def build_config(config_type: type[T], values: Mapping[str, object], place: str) -> T:
    """Check ``values`` and build the frozen dataclass ``config_type`` from them.

    Missing keys take their defaults. A value of another type is converted as
    :func:`checked_value` does.

    :param place: source of the values, used in errors, for example ``device.lamp``.
    :raises ConfigError: for an unknown key, a wrong type, a value out of range, or a
        combination that the dataclass itself refuses.
    """
    known = options_of(config_type)
    types = get_type_hints(config_type)
    checked: dict[str, object] = {}
    for key, value in values.items():
        if key not in known:
            raise ConfigError(f"{place}.{key}: unknown key, expected one of {sorted(known)}")
        checked[key] = checked_value(value, types[key], known[key], f"{place}.{key}")
    try:
        return config_type(**checked)
    except ConfigError as error:
        raise ConfigError(f"{place}.{error}") from error


def checked_value(value: object, expected: Any, info: Option, where: str) -> Any:
    """Return ``value`` as type ``expected`` if ``info`` allows it.

    Conversions: a number to a string and a string to the number it spells, an integer to a float,
    a float without a fraction to an integer, and a single string to a list. Empty strings of a
    list are dropped.

    :param expected: bool, int, float, str or ``tuple[str, ...]``.
    :param where: the option's full name, used in errors.
    :raises ConfigError: naming the option, what is expected and the value.
    """
    converted = _converted(value, expected)
    if converted is None:
        hint = f": write it in quotes, as \"'{str(value).lower()}'\""
        is_unquoted = expected is str and isinstance(value, bool)
        raise ConfigError(
            f"{where}: expected {_NAMES[expected]}, got {value!r}{hint if is_unquoted else ''}"
        )
    if isinstance(converted, int | float) and not isinstance(converted, bool):
        _check_number(converted, value, info, where)
    if info.choices:
        for item in converted if isinstance(converted, tuple) else (converted,):
            if item not in info.choices:
                choices = ", ".join(map(str, info.choices))
                raise ConfigError(f"{where}: expected one of {choices}, got {item!r}")
    return converted


def _converted(value: object, expected: Any) -> Any:
    """Return ``value`` converted to ``expected``, or None when that is ambiguous."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if expected is bool:
        if isinstance(value, str):
            return {"true": True, "false": False}.get(value.lower())
        return value if isinstance(value, bool) else None
    if expected is str:
        return str(value) if is_number else value if isinstance(value, str) else None
    if expected is float or expected is int:
        return _number(value, expected) if is_number or isinstance(value, str) else None
    items = [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
    words = [_converted(word, str) for word in items]
    return None if None in words else tuple(word for word in words if word)


def _number(value: Any, expected: Any) -> int | float | None:
    try:
        number = value if isinstance(value, int) else float(value)
        if expected is int:
            return int(value) if isinstance(value, str) or number == int(number) else None
        return float(number)
    except (ValueError, OverflowError):
        return None


def _check_number(number: float, value: object, info: Option, where: str) -> None:
    if isinstance(number, float) and not math.isfinite(number):
        raise ConfigError(f"{where}: expected a finite number, got {value!r}")
    low = -math.inf if info.minimum is None else info.minimum
    high = math.inf if info.maximum is None else info.maximum
    if not low <= number <= high:
        raise ConfigError(f"{where}: expected a value in [{low:g}, {high:g}], got {value!r}")
