# SPDX-License-Identifier: Apache-2.0
"""Arbitrary parameter names and values for light, lamps and perception."""

from __future__ import annotations

from random import Random
from typing import Any

from ambient_light_driver.devices.device_registry import installed_device_types, load_device_type
from ambient_light_driver.settings import LightSettings
from fer_common.options import ConfigError, build_config, defaults_of, options_of
from fer_perception.runtime.shared_parts import SharedParts
from fer_perception.settings import (
    DETECTOR_NAMES,
    RECOGNIZER_NAMES,
    PerceptionSettings,
    event_config,
    prepare_change,
)

from ..mutation import nasty_float, nasty_integer, nasty_text, nasty_value
from ..target import Target, Try, one_of

# Loading a network takes about a second per input; the target models covers it.
_DEFAULTS = defaults_of(PerceptionSettings)
_CHEAP = [name for name in _DEFAULTS if name not in DETECTOR_NAMES | RECOGNIZER_NAMES]


def _value(rng: Random, default: object) -> object:
    """Return a value, usually of the type of ``default``."""
    if rng.random() < 0.2:
        return nasty_value(rng)
    if isinstance(default, bool):
        return rng.random() < 0.5
    if isinstance(default, float):
        return nasty_float(rng)
    if isinstance(default, int):
        return nasty_integer(rng, -(2**63), 2**63 - 1)
    return nasty_text(rng)


def _prepare() -> Try:
    config_types: list[Any] = [LightSettings]
    config_types += [load_device_type(name).config_type for name in installed_device_types()]

    def light(rng: Random) -> object:
        config_type = rng.choice(config_types)
        known = [*options_of(config_type), nasty_text(rng)]
        names = rng.sample(known, rng.randint(1, min(4, len(known))))
        fields = config_type.__dataclass_fields__
        values = {name: _value(rng, getattr(fields.get(name), "default", 0)) for name in names}
        return build_config(config_type, values, "fuzz")

    def perception(rng: Random) -> object:
        chosen = rng.sample(_CHEAP, rng.randint(1, 4))
        changes = {name: _value(rng, _DEFAULTS[name]) for name in chosen}
        settings = build_config(PerceptionSettings, changes, "fuzz")
        event_config(settings)
        return prepare_change(settings, changes.keys(), SharedParts())

    return lambda rng: one_of(rng, light, perception)


TARGETS = (Target("parameters", 200_000, _prepare, (ConfigError, ValueError)),)
