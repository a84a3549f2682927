# SPDX-License-Identifier: Apache-2.0
"""Parameters from the given launch arguments."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

import yaml
from launch.substitutions import LaunchConfiguration

from launch import LaunchContext, Substitution


class GivenParameters(Substitution):
    """Path of a parameter file with the non-empty launch arguments.

    An empty argument leaves the parameter to earlier parameter files and the scope, which
    ``Node(parameters=[{...}])`` cannot express.

    :param arguments: launch argument of each parameter, and its type: str, bool, or list for
        comma-separated strings.
    """

    def __init__(self, arguments: Mapping[str, tuple[str, type]]) -> None:
        super().__init__()
        self._arguments = arguments

    def perform(self, context: LaunchContext) -> str:
        """Write the file and return its path; remove it at exit."""
        given = {
            parameter: _typed(text, value_type)
            for parameter, (argument, value_type) in self._arguments.items()
            if (text := LaunchConfiguration(argument).perform(context))
        }
        with NamedTemporaryFile(
            "w", prefix="launch_params_", suffix=".yaml", delete=False
        ) as file:
            yaml.safe_dump({"/**": {"ros__parameters": given}}, file)
        atexit.register(Path(file.name).unlink, missing_ok=True)
        return file.name


def _typed(text: str, value_type: type) -> str | bool | list[str]:
    if value_type is list:
        return [part for part in text.split(",") if part]
    return text == "true" if value_type is bool else text
