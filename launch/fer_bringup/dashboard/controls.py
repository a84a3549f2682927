# SPDX-License-Identifier: Apache-2.0
"""The parameters that the page can set."""

from __future__ import annotations

import contextlib
import reprlib
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor, ParameterType

from ambient_light_driver.color.palette import shipped_palettes
from ambient_light_driver.selection.face_selection import BY_FACE_ID
from ambient_light_driver.settings import LightSettings
from fer_common.options import defaults_of
from fer_perception.recognition.installed_models import list_models
from fer_perception.settings import EmotionNodeSettings

LIGHT = "ambient_light"
PERCEPTION = "fer_perception"
"""Names of the nodes, relative to the robot's namespace."""

READ_ONLY = ("selected_face_id", "emotions_topics")
"""Parameters of the light that the page shows in other ways than as a control."""

_DEFAULTS = {LIGHT: defaults_of(LightSettings), PERCEPTION: defaults_of(EmotionNodeSettings)}


@dataclass(frozen=True)
class Control:
    """One control of the page.

    :ivar node: name of the node, relative to the robot's namespace.
    :ivar parameter: its parameter.
    :ivar suggestions: values to offer where the parameter takes any text.
    :ivar top: largest value to offer, where the parameter's own range is wider.
    """

    node: str
    parameter: str
    suggestions: tuple[str, ...] = ()
    top: float | None = None

    @property
    def key(self) -> str:
        """The page's name of the control."""
        return f"{self.node}/{self.parameter}"

    @property
    def default(self) -> Any:
        """The parameter's default."""
        return _DEFAULTS[self.node][self.parameter]


CONTROLS = (
    Control(LIGHT, "show"),
    Control(LIGHT, "fixed_color"),
    Control(LIGHT, "palette", tuple(shipped_palettes())),
    Control(LIGHT, "brightness"),
    Control(LIGHT, "face_selection"),
    # Times go up to a minute and more, but nobody wants a lamp that slow.
    Control(LIGHT, "time_constant_s", top=5.0),
    Control(PERCEPTION, "smoothing_time_constant_s", top=5.0),
    Control(PERCEPTION, "min_confidence"),
    Control(PERCEPTION, "model", tuple(list_models())),
    Control(PERCEPTION, "detector"),
)


def parameters_of(node: str) -> list[str]:
    """Return the node's parameters that the page sets or shows."""
    names = [control.parameter for control in CONTROLS if control.node == node]
    return [*names, *(READ_ONLY if node == LIGHT else ())]


def describe(control: Control, descriptor: ParameterDescriptor, value: Any) -> dict[str, Any]:
    """Return the description of a control for the page."""
    choices = list(control.suggestions)
    prefix = "one of: "
    if descriptor.additional_constraints.startswith(prefix):
        choices = descriptor.additional_constraints.removeprefix(prefix).split(", ")
    if control.parameter == "face_selection":
        # Refused without a selected face: a click on a face sets both.
        choices = [choice for choice in choices if choice != BY_FACE_ID]
    described: dict[str, Any] = {
        "key": control.key,
        "description": descriptor.description,
        "value": value,
        "choices": choices,
    }
    if descriptor.type == ParameterType.PARAMETER_DOUBLE and descriptor.floating_point_range:
        [limits] = descriptor.floating_point_range
        top = limits.to_value if control.top is None else min(control.top, limits.to_value)
        described |= {"min": limits.from_value, "max": top}
    return described


def typed(value: object, descriptor: ParameterDescriptor) -> bool | int | float | str:
    """Convert a JSON ``value`` to the type of the parameter.

    :raises ValueError: when it has another type, or is too large for it.
    """
    kind = descriptor.type
    if kind == ParameterType.PARAMETER_DOUBLE and isinstance(value, int | float):
        if not isinstance(value, bool):
            with contextlib.suppress(OverflowError):
                return float(value)
    elif (
        (kind == ParameterType.PARAMETER_STRING and isinstance(value, str))
        or (kind == ParameterType.PARAMETER_BOOL and isinstance(value, bool))
        or (kind == ParameterType.PARAMETER_INTEGER and type(value) is int)
    ):
        return value
    raise ValueError(f"{descriptor.name} cannot be {reprlib.repr(value)}")
