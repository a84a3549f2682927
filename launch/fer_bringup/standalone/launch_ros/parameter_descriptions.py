# SPDX-License-Identifier: Apache-2.0
"""Stand-in for ``launch_ros.parameter_descriptions``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..launch import SomeText


@dataclass(frozen=True)
class ParameterValue:
    """A parameter's value with its explicit type."""

    value: SomeText
    value_type: Any = None
