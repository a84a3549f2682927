# SPDX-License-Identifier: Apache-2.0
"""Read the cameras of ``cameras.launch.py`` from a YAML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

PER_CAMERA: Final = (
    "camera",
    "image_topic",
    "image_transport",
    "model",
    "params_file",
    "source",
)
"""Arguments of ``fer_light.launch.py`` that may differ between cameras."""

# One process has one set of remappings and one parameter file.
_SHARED_IN_ONE_PROCESS: Final = ("image_topic", "image_transport", "model", "params_file")
_NAMESPACE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass(frozen=True)
class CameraConfig:
    """The cameras of a machine.

    :ivar cameras: namespace -> launch arguments of ``fer_light.launch.py``.
    :ivar one_process: whether one process runs the perception of all.
    """

    cameras: Mapping[str, Mapping[str, str]]
    one_process: bool


def read_camera_config(text: str) -> CameraConfig:
    """Read a YAML file.

    :param text: its path.
    :raises ValueError: when it cannot be read; the message names the place.
    """
    path = Path(text).expanduser()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ValueError(f"config is {text!r}: {reason}") from None
    if not isinstance(content, dict) or not isinstance(content.get("cameras"), dict):
        raise ValueError(f"{path}: expected a mapping 'cameras' of namespaces to their arguments")
    if unknown := sorted(map(str, content.keys() - {"cameras", "one_process"})):
        raise ValueError(f"{path}: unknown key {unknown[0]!r}: known are cameras, one_process")
    one_process = content.get("one_process", False)
    if not isinstance(one_process, bool):
        raise ValueError(f"{path}: one_process is {one_process!r}: expected true or false")
    if not content["cameras"]:
        raise ValueError(f"{path}: cameras is empty: name at least one")
    cameras = {
        _namespace(path, name): _arguments(path, name, values)
        for name, values in content["cameras"].items()
    }
    if one_process:
        _check_shared(path, cameras)
    return CameraConfig(cameras, one_process)


def _namespace(path: Path, name: Any) -> str:
    if not isinstance(name, str) or not _NAMESPACE.fullmatch(name):
        raise ValueError(
            f"{path}: camera {name!r} is not a namespace: use letters, digits and '_', not a "
            "digit first"
        )
    return name


def _arguments(path: Path, name: str, values: Any) -> dict[str, str]:
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ValueError(f"{path}: camera {name}: expected a mapping, got {values!r}")
    arguments = {}
    for key, value in values.items():
        if key not in PER_CAMERA:
            raise ValueError(
                f"{path}: camera {name}: unknown key {key!r}: known are {', '.join(PER_CAMERA)}"
            )
        if not isinstance(value, str | int):
            raise ValueError(f"{path}: camera {name}: {key} is {value!r}: expected text")
        arguments[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return arguments


def _check_shared(path: Path, cameras: Mapping[str, Mapping[str, str]]) -> None:
    for key in _SHARED_IN_ONE_PROCESS:
        values = {arguments.get(key) for arguments in cameras.values()}
        if len(values) > 1:
            raise ValueError(
                f"{path}: {key} differs between cameras, which one_process: true does not allow: "
                "set one_process to false, or give all cameras the same"
            )
