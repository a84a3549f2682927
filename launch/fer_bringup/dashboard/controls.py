# SPDX-License-Identifier: Apache-2.0
"""The parameters that the page can set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor, ParameterType

from ambient_light_driver.color.palette import shipped_palettes
from fer_perception.recognition.model_store import list_models


@dataclass(frozen=True)
class Control:
    """One control of the page.

    :ivar node: name of the node, relative to the dashboard's namespace.
    :ivar parameter: its parameter.
    :ivar suggestions: values to offer where the parameter takes any text.
    """

    node: str
    parameter: str
    suggestions: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The page's name of the control."""
        return f"{self.node}/{self.parameter}"


CONTROLS = (
    Control("ambient_light", "palette", tuple(shipped_palettes())),
    Control("ambient_light", "brightness"),
    Control("ambient_light", "face_selection"),
    Control("ambient_light", "time_constant_s"),
    Control("fer_perception", "smoothing_time_constant_s"),
    Control("fer_perception", "min_confidence"),
    Control("fer_perception", "model", tuple(list_models())),
    Control("fer_perception", "detector"),
)


def describe(control: Control, descriptor: ParameterDescriptor, value: Any) -> dict[str, Any]:
    """Return the description of a control for the page."""
    choices = list(control.suggestions)
    prefix = "one of: "
    if descriptor.additional_constraints.startswith(prefix):
        choices = descriptor.additional_constraints.removeprefix(prefix).split(", ")
    described: dict[str, Any] = {
        "key": control.key,
        "description": descriptor.description,
        "value": value,
        "choices": choices,
    }
    if descriptor.type == ParameterType.PARAMETER_DOUBLE and descriptor.floating_point_range:
        [limits] = descriptor.floating_point_range
        described |= {"min": limits.from_value, "max": limits.to_value}
    return described


def typed(value: object, descriptor: ParameterDescriptor) -> bool | int | float | str:
    """Convert a JSON ``value`` to the type of the parameter.

    :raises ValueError: when it has another type.
    """
    kind = descriptor.type
    if kind == ParameterType.PARAMETER_DOUBLE and isinstance(value, int | float):
        if not isinstance(value, bool):
            return float(value)
    elif (
        (kind == ParameterType.PARAMETER_STRING and isinstance(value, str))
        or (kind == ParameterType.PARAMETER_BOOL and isinstance(value, bool))
        or (kind == ParameterType.PARAMETER_INTEGER and type(value) is int)
    ):
        return value
    raise ValueError(f"{descriptor.name} cannot be {value!r}")
