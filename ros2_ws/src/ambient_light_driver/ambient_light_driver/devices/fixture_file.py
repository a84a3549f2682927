# SPDX-License-Identifier: Apache-2.0
"""Fixture modes from the Open Fixture Library (https://open-fixture-library.org), JSON files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ambient_light_driver.devices.fixture_mode import Channel, FixtureMode
from fer_common.options import ConfigError

_MAX_FILE_BYTES = 1 << 20
_FUNCTIONS = {
    "Red": "red",
    "Green": "green",
    "Blue": "blue",
    "White": "white",
    "Warm White": "warm_white",
    "Cold White": "cold_white",
    "Amber": "amber",
    "Lime": "lime",
    "UV": "uv",
}


def load_fixture_mode(path: str, mode_name: str) -> FixtureMode:
    """Load one mode of a fixture.

    Channels other than light get a constant that keeps the lamp lit.

    :param path: a fixture's JSON file.
    :param mode_name: name or short name of the mode; empty when the file has one only.
    :raises ConfigError: when the file cannot be read, or lacks the mode or a light channel in it.
    """
    document = _document(path)
    try:
        return _mode(document, mode_name, path)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(
            f"{path}: expected a fixture of the Open Fixture Library: {error!r:.200}"
        ) from error


def _document(path: str) -> Any:
    try:
        file = Path(path).expanduser()
        if file.exists() and not file.is_file():  # a named pipe would block
            raise ConfigError(f"{path}: expected a file")
        if file.stat().st_size > _MAX_FILE_BYTES:
            raise ConfigError(f"{path}: expected at most {_MAX_FILE_BYTES} bytes")
        return json.loads(file.read_text(encoding="utf-8"))
    except ConfigError:
        raise
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not valid JSON: {error}") from error


def _mode(document: Mapping[str, Any], mode_name: str, path: str) -> FixtureMode:
    modes = document["modes"]
    names = [mode["name"] for mode in modes]
    found = [m for m in modes if mode_name in (m["name"], m.get("shortName"))]
    if not mode_name and len(modes) == 1:
        found = modes
    if len(found) != 1:
        raise ConfigError(
            f"{path}: expected '{Path(path).name}#MODE' with a mode of {', '.join(names)}; "
            f"got {mode_name!r}"
        )
    channels = [_channel(key, document, path) for key in found[0]["channels"]]
    if not any(channel.function for channel in channels):
        raise ConfigError(
            f"{path}: mode {mode_name!r} has no channel of red, white or other light"
        )
    return FixtureMode(tuple(channels))


def _channel(key: object, document: Mapping[str, Any], path: str) -> Channel:
    if key is None:
        return Channel()
    if not isinstance(key, str):
        raise ConfigError(f"{path}: fixtures of pixels are not supported; write the mode in words")
    channels = {**document.get("availableChannels", {}), **document.get("templateChannels", {})}
    for channel in channels.values():  # first: a pixel's key matches 'left' and 'left fine'
        for i, alias in enumerate(channel.get("fineChannelAliases", [])):
            if _names(alias, key):
                function = _coarse_channel(channel).function
                # A third byte, and fine bytes of constants, may stay 0.
                return Channel(function, fine=True) if function and i == 0 else Channel()
    for name, channel in channels.items():
        if _names(name, key):
            return _coarse_channel(channel)
    raise ConfigError(f"{path}: channel {key!r} is not described; write the mode in words")


def _names(name: str, key: str) -> bool:
    """Match ``key`` against ``name``, where ``$pixelKey`` is any pixel."""
    return re.fullmatch(re.escape(name).replace(r"\$pixelKey", ".+"), key) is not None


def _coarse_channel(channel: Mapping[str, Any]) -> Channel:
    capabilities = channel.get("capabilities") or [channel["capability"]]
    lit = [function for c in capabilities if (function := _function(c))]
    others = [c for c in capabilities if not _function(c) and c["type"] != "NoFunction"]
    if len(lit) == 1 and not others and _rises_over_all(capabilities):
        return Channel(lit[0])
    for capability in capabilities:
        if capability["type"] == "ShutterStrobe" and capability.get("shutterEffect") == "Open":
            first, last = capability.get("dmxRange", (0, 255))
            return Channel(value=_byte((first + last) // 2, channel))
    return Channel(value=_default(channel))


def _function(capability: Mapping[str, Any]) -> str:
    if capability["type"] == "Intensity":
        return "dimmer"
    if capability["type"] == "ColorIntensity":
        return _FUNCTIONS.get(capability["color"], "")
    return ""


def _rises_over_all(capabilities: list[Mapping[str, Any]]) -> bool:
    """Return whether the light rises over (nearly) the whole range."""
    light = next(c for c in capabilities if _function(c))
    first = light.get("dmxRange", (0, 0))[0]
    is_last = light is capabilities[-1]
    start, end = light.get("brightnessStart", "off"), light.get("brightnessEnd", "bright")
    return first <= 1 and is_last and "brightness" not in light and _percent(start) < _percent(end)


def _percent(brightness: object) -> float:
    words = {"off": 0.0, "dark": 1.0, "bright": 100.0}
    text = str(brightness)
    return words[text] if text in words else float(text.removesuffix("%").removesuffix("lm"))


def _default(channel: Mapping[str, Any]) -> int:
    value = channel.get("defaultValue", 0)
    if isinstance(value, str):
        return round(float(value.removesuffix("%")) * 255.0 / 100.0)
    return _byte(int(value), channel)


def _byte(value: int, channel: Mapping[str, Any]) -> int:
    """Return the high byte of a value in the channel's full resolution."""
    fine_bytes = len(channel.get("fineChannelAliases", []))
    resolution = {"8bit": 1, "16bit": 2, "24bit": 3}.get(
        channel.get("dmxValueResolution", ""), 1 + fine_bytes
    )
    return int(value >> (8 * (resolution - 1))) & 0xFF
