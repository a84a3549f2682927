# SPDX-License-Identifier: Apache-2.0
"""Optional libraries of single devices."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ambient_light_driver.devices.light_device import DeviceUnavailableError


def load_library(module: str, package: str = "", distribution: str = "") -> Any:
    """Import ``module``, or raise with the command that installs it.

    :param package: its package on Ubuntu; may be empty.
    :param distribution: its name for pip.
    :raises DeviceUnavailableError: when it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        ways = [f"apt install {package}"] if package else []
        ways += [f"pip install {distribution}"] if distribution else []
        raise DeviceUnavailableError(
            f"Python module {module!r} is missing ({error}): {' or '.join(ways)}"
        ) from error
