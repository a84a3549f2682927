# SPDX-License-Identifier: Apache-2.0
"""Import optional message packages."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def message_package(name: str) -> ModuleType:
    """Return the module with the messages of package ``name``.

    :raises ModuleNotFoundError: with the command that installs it.
    """
    try:
        return import_module(f"{name}.msg")
    except ImportError as error:
        raise ModuleNotFoundError(
            f"the messages of {name} are missing ({error}): "
            f"sudo apt install ros-$ROS_DISTRO-{name.replace('_', '-')}, or build {name}"
        ) from error
