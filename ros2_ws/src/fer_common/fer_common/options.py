# SPDX-License-Identifier: Apache-2.0
"""Configuration as frozen dataclasses whose fields carry description, range and choices.

One declaration of a field serves three readers: the code that uses the value, the check of a
user's value, and the ROS parameter descriptor made from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")


class ConfigError(ValueError):
    """A configuration value is wrong; the text names the place, the key and the remedy."""


@dataclass(frozen=True, slots=True)
class Option:
    """What is known about one configuration value.

    :param description: one sentence, with the unit if there is one.
    :param minimum: smallest number allowed, or None.
    :param maximum: largest number allowed, or None.
    :param choices: all strings allowed; empty when any is.
    """

    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


def option(
    default: Any,
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a dataclass field together with its description and limits (see :class:`Option`)."""
    info = Option(description, minimum, maximum, choices)
    return field(default=default, metadata={"option": info})


def options_of(config_type: type) -> dict[str, Option]:
    """Return name -> :class:`Option` of every field declared by :func:`option`."""
    return {f.name: f.metadata["option"] for f in fields(config_type) if "option" in f.metadata}


def build_config(config_type: type[T], values: Mapping[str, object], place: str) -> T:
    """Build the frozen dataclass ``config_type`` from ``values`` after checking each of them.

    Missing keys take their defaults. Whole numbers are accepted where a float is expected.

    :param place: where the values come from, used in errors, for example ``device.lamp``.
    :raises ConfigError: for an unknown key, a wrong type, a value out of range, or a
        combination that the dataclass itself refuses.
    """
    known = options_of(config_type)
    types = get_type_hints(config_type)
    checked: dict[str, object] = {}
    for key, value in values.items():
        if key not in known:
            raise ConfigError(f"{place}.{key}: unknown key, expected one of {sorted(known)}")
        checked[key] = _check(value, types[key], known[key], f"{place}.{key}")
    try:
        return config_type(**checked)
    except ConfigError as error:
        raise ConfigError(f"{place}.{error}") from error


def _check(value: object, expected: type, info: Option, where: str) -> object:
    """Return ``value`` as ``expected`` or raise a ConfigError that starts with ``where``."""
    if expected is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise ConfigError(f"{where}: expected {expected.__name__}, got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{where}: expected a finite number, got {value!r}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        low = -math.inf if info.minimum is None else info.minimum
        high = math.inf if info.maximum is None else info.maximum
        if not low <= value <= high:
            raise ConfigError(f"{where}: expected a value in [{low:g}, {high:g}], got {value!r}")
    if info.choices and value not in info.choices:
        raise ConfigError(f"{where}: expected one of {list(info.choices)}, got {value!r}")
    return value
