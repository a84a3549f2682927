# SPDX-License-Identifier: Apache-2.0
"""Libraries that only one device needs and that not every machine has."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ambient_light_driver.devices.light_device import DeviceUnavailableError


def load_library(module: str, package: str = "", distribution: str = "") -> Any:
    """Import ``module``, or say how to install it.

    :param package: its package on Ubuntu; empty when there is none.
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
