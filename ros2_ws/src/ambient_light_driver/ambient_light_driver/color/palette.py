# SPDX-License-Identifier: Apache-2.0
"""Palettes: a colour for each emotion, read from YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from reprlib import repr as shortened
from types import MappingProxyType
from typing import Any

import yaml

from ambient_light_driver.color.light_color import LightColor
from fer_common.options import ConfigError

_MAX_FILE_BYTES = 1 << 16
# PyYAML takes seconds for some thousand nested brackets; a palette has about ten.
_MAX_BRACKETS = 256

NEUTRAL = "neutral"
"""The emotion whose colour represents low confidence."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of all emotions and of the idle light.

    :param name: name of a shipped palette or path of the file.
    :param source: source of the colours.
    :param emotions: emotion -> colour, in the order of :func:`emotion_names`.
    :param idle: colour while no face is seen.
    """

    name: str
    source: str
    emotions: Mapping[str, LightColor]
    idle: LightColor


def shipped_palettes() -> tuple[str, ...]:
    """Return the names of the shipped palettes, sorted."""
    folder = resources.files("ambient_light_driver").joinpath("palettes")
    return tuple(
        sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    )


@cache
def emotion_names() -> tuple[str, ...]:
    """Return the required emotions of a palette, those of the default one."""
    return tuple(_parse(_shipped_text("default"), "default").emotions)


def load_palette(name_or_path: str) -> Palette:
    """Load a shipped palette by name, or a YAML file by path.

    :raises ConfigError: when it cannot be read or a key is missing, unknown or out of range.
    """
    if name_or_path in shipped_palettes():
        palette = _parse(_shipped_text(name_or_path), name_or_path)
    else:
        palette = _parse(_file_text(name_or_path), name_or_path)
    required = set(emotion_names())
    if unknown := sorted(set(palette.emotions) - required):
        raise ConfigError(
            f"{name_or_path}: emotions.{unknown[0]}: unknown emotion, "
            f"expected only {', '.join(emotion_names())}"
        )
    if missing := [name for name in emotion_names() if name not in palette.emotions]:
        raise ConfigError(
            f"{name_or_path}: emotions.{missing[0]}: missing, "
            f"expected a color and a brightness for each of {', '.join(emotion_names())}"
        )
    in_order = {name: palette.emotions[name] for name in emotion_names()}
    return replace(palette, emotions=MappingProxyType(in_order))


def _shipped_text(name: str) -> str:
    path = resources.files("ambient_light_driver").joinpath("palettes", f"{name}.yaml")
    return path.read_text(encoding="utf-8")


def _file_text(path: str) -> str:
    if not path.endswith((".yaml", ".yml")):
        raise ConfigError(
            f"palette {path!r}: expected the path of a .yaml file or one of "
            f"{', '.join(shipped_palettes())}"
        )
    try:
        file = Path(path).expanduser()
        # A named pipe would block.
        if file.exists() and not file.is_file():
            raise ConfigError(f"palette {path!r}: expected a file")
        if file.stat().st_size > _MAX_FILE_BYTES:
            raise ConfigError(f"palette {path!r}: expected at most {_MAX_FILE_BYTES} bytes")
        return file.read_text(encoding="utf-8")
    except ConfigError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(f"palette {path!r}: cannot be read: {error}") from error


def _parse(text: str, name: str) -> Palette:
    if text.count("[") + text.count("{") > _MAX_BRACKETS:
        raise ConfigError(f"{name}: expected at most {_MAX_BRACKETS} brackets")
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{name}: expected YAML: {reason}") from error
    top = _mapping(document, f"{name}: top level")
    _no_other_keys(top, ("source", "emotions", "idle"), f"{name}:")
    emotions = _mapping(_required(top, "emotions", f"{name}:"), f"{name}: emotions")
    colors = {
        emotion: _color(entry, f"{name}: emotions.{emotion}")
        for emotion, entry in emotions.items()
    }
    source = _required(top, "source", f"{name}:")
    if not isinstance(source, str):
        raise ConfigError(f"{name}: source: expected a string, got {shortened(source)}")
    idle = _color(_required(top, "idle", f"{name}:"), f"{name}: idle")
    return Palette(name, source, MappingProxyType(colors), idle)


def _color(entry: object, where: str) -> LightColor:
    values = _mapping(entry, where)
    _no_other_keys(values, ("color", "brightness", "source"), f"{where}.")
    rgb = _required(values, "color", f"{where}.")
    if not isinstance(rgb, list) or len(rgb) != 3:
        raise ConfigError(f"{where}.color: expected [red, green, blue], got {shortened(rgb)}")
    red, green, blue = (_unit_number(value, f"{where}.color") for value in rgb)
    brightness = _required(values, "brightness", f"{where}.")
    return LightColor(red, green, blue, _unit_number(brightness, f"{where}.brightness"))


def _unit_number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError(f"{where}: expected a number in [0, 1], got {shortened(value)}")
    return float(value)


def _mapping(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ConfigError(f"{where}: expected a mapping of names, got {shortened(value)}")
    return value


def _required(values: Mapping[str, Any], key: str, prefix: str) -> Any:
    separator = "" if prefix.endswith(".") else " "
    if key not in values:
        raise ConfigError(f"{prefix}{separator}{key}: missing, expected it beside {list(values)}")
    return values[key]


def _no_other_keys(values: Mapping[str, Any], known: tuple[str, ...], prefix: str) -> None:
    separator = "" if prefix.endswith(".") else " "
    for key in values:
        if key not in known:
            raise ConfigError(
                f"{prefix}{separator}{key}: unknown key, expected one of {', '.join(known)}"
            )
