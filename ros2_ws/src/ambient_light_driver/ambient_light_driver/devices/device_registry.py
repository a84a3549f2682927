# SPDX-License-Identifier: Apache-2.0
"""Find devices by name through Python entry points."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from ambient_light_driver.devices.light_device import LightDevice
from fer_common.options import ConfigError

ENTRY_POINT_GROUP = "ambient_light_driver.devices"


def installed_device_types() -> tuple[str, ...]:
    """Return the names of all installed devices, sorted."""
    return tuple(sorted({entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)}))


def load_device_type(name: str) -> type[LightDevice[Any]]:
    """Return the class of the device called ``name``.

    :raises ConfigError: when it is not installed, or its module cannot be imported.
    """
    found = list(entry_points(group=ENTRY_POINT_GROUP, name=name))
    if not found:
        raise ConfigError(
            f"unknown device {name!r}, expected one of {', '.join(installed_device_types())}"
        )
    try:
        device_type = found[0].load()
    except Exception as error:
        raise ConfigError(f"device {name!r}: cannot be loaded: {error}") from error
    if not (isinstance(device_type, type) and issubclass(device_type, LightDevice)):
        raise ConfigError(f"device {name!r}: {found[0].value} is not a LightDevice")
    return device_type
