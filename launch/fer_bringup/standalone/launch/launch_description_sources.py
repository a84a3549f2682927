# SPDX-License-Identifier: Apache-2.0
"""Stand-in for ``launch.launch_description_sources``."""

from __future__ import annotations

import runpy

from . import LaunchDescription


class PythonLaunchDescriptionSource:
    """A launch file in Python."""

    def __init__(self, launch_file_path: str) -> None:
        self._path = launch_file_path
        self._description: LaunchDescription | None = None

    def get_launch_description(self) -> LaunchDescription:
        """Read the file, once."""
        if self._description is None:
            self._description = runpy.run_path(self._path)["generate_launch_description"]()
        return self._description
