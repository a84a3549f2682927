# SPDX-License-Identifier: Apache-2.0
"""All parameters of the light node as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rclpy.node import Node

from ambient_light_driver.color.palette import load_palette
from ambient_light_driver.devices.claims import overlaps_within
from ambient_light_driver.devices.device_registry import load_device_type
from ambient_light_driver.devices.device_set import DeviceSpec
from ambient_light_driver.nodes.color_relay import RELAYS, RelayConfig
from ambient_light_driver.settings import LightSettings
from fer_common.nodes.parameters import (
    config_from_parameters,
    declare_option,
    declare_options,
    option_value,
)
from fer_common.options import ConfigError, Option, build_config, option


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Settings of the node itself."""

    output_rate_hz: float = option(
        50.0, "Colours published per second.", minimum=1.0, maximum=200.0
    )
    devices: tuple[str, ...] = option(
        ("terminal",),
        "Names of the lamps to drive; an empty name stands for none. The options of each are the "
        "parameters device.<name>.<option>.",
    )
    emotions_topics: tuple[str, ...] = option(
        ("emotions",),
        "Topics with the faces that the light follows, one for each camera or robot; read when "
        "the node is configured.",
    )
    relays: tuple[str, ...] = option(
        (),
        "Names of the lights on board of robots that get the colour in their own message; an "
        "empty name stands for none. The options of each are the parameters "
        "relay.<name>.<option>; read when the node is configured.",
    )
    autostart: bool = option(True, "Configure and activate at the start.", read_only=True)


class LightParameters:
    """Declare and read the parameters of a node.

    :param node: the node; its parameters may be changed while it runs.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.is_declaring = False
        """True while declarations trigger the callback for changes."""
        declare_options(node, LightSettings)
        declare_options(node, NodeSettings)
        self.declare_new_devices()

    def declare_new_devices(self) -> None:
        """Declare the options of lamps and relays that were added."""
        self.is_declaring = True
        try:
            self._declare_devices_and_relays()
        finally:
            self.is_declaring = False

    def node_settings(self) -> NodeSettings:
        """Return the settings of the node.

        :raises ConfigError: when a start value is invalid.
        """
        return config_from_parameters(self._node, NodeSettings)

    def light_settings(self, changes: Mapping[str, object] | None = None) -> LightSettings:
        """Return the settings of the light.

        :param changes: full parameter name -> value that is about to be set.
        :raises ConfigError: when a value is wrong.
        """
        return config_from_parameters(self._node, LightSettings, changes=changes)

    def device_names(self, changes: Mapping[str, object] | None = None) -> tuple[str, ...]:
        """Return the names of the lamps to drive, without duplicates."""
        return self._names("devices", changes)

    def device_specs(self) -> tuple[dict[str, DeviceSpec], dict[str, str]]:
        """Return (name -> device, name -> configuration error)."""
        specs, errors = {}, {}
        for name in self.device_names():
            try:
                specs[name] = self.device_spec(name)
            except ConfigError as error:
                errors[name] = str(error)
        return specs, errors

    def device_spec(self, name: str, changes: Mapping[str, object] | None = None) -> DeviceSpec:
        """Return the device called ``name``.

        :raises ConfigError: when its type is unknown or an option is invalid.
        """
        key = f"device.{name}.type"
        type_name = (changes or {}).get(key) or option_value(self._node, key)
        device_type = load_device_type(str(type_name))
        config = config_from_parameters(
            self._node, device_type.config_type, f"device.{name}.", changes
        )
        return DeviceSpec(device_type, config)

    def check(self, changes: Mapping[str, object]) -> None:
        """Refuse invalid changes; allow invalid values to be corrected one by one.

        :param changes: full parameter name -> value that is about to be set.
        :raises ConfigError: when changed values contradict each other or unchanged ones.
        """
        try:
            self.light_settings()
        except ConfigError:
            pass  # single values are checked by their declaration
        else:
            self.light_settings(changes)
        if "palette" in changes:
            load_palette(str(changes["palette"]))
        if any(name == "devices" or name.startswith("device.") for name in changes):
            self._check_devices(changes)
        if "relays" in changes:
            self._check_new_relays(changes)

    def _check_devices(self, changes: Mapping[str, object]) -> None:
        before, errors = self.device_specs()
        after = {}
        for name in self.device_names(changes):
            if not self._node.has_parameter(f"device.{name}.type"):
                load_device_type(name)  # the options of a new lamp are set after it is added
            elif name not in errors:
                after[name] = self.device_spec(name, changes)
        known = _overlaps(before)
        for name, reason in _overlaps(after).items():
            if name not in known:
                raise ConfigError(reason)

    def _check_new_relays(self, changes: Mapping[str, object]) -> None:
        for name in self._names("relays", changes):
            if name not in RELAYS and not self._node.has_parameter(f"relay.{name}.type"):
                raise ConfigError(
                    f"unknown relay {name!r}, expected one of {', '.join(RELAYS)}; a relay "
                    f"of another name needs relay.{name}.type at the start"
                )

    def relays(self) -> dict[str, RelayConfig]:
        """Return name -> relay.

        :raises ConfigError: when an option is wrong.
        """
        return {
            name: config_from_parameters(self._node, RelayConfig, f"relay.{name}.")
            for name in self._names("relays")
        }

    def _names(self, key: str, changes: Mapping[str, object] | None = None) -> tuple[str, ...]:
        value = (changes or {}).get(key)
        names = option_value(self._node, key) if value is None else value
        checked = build_config(NodeSettings, {key: names}, self._node.get_name())
        return tuple(dict.fromkeys(getattr(checked, key)))

    def _declare_devices_and_relays(self) -> None:
        for name in self._declared_names("devices"):
            info = Option(f"Kind of device of {name!r}.")
            declare_option(self._node, f"device.{name}.type", name, info)
            try:
                device_type = load_device_type(option_value(self._node, f"device.{name}.type"))
            except ConfigError:
                continue  # reported when the device is started
            declare_options(self._node, device_type.config_type, f"device.{name}.")
        for name in self._declared_names("relays"):
            # As for devices, the kind's name is enough; another name is refused without a type.
            info = Option("Kind of light.", choices=tuple(RELAYS))
            declare_option(self._node, f"relay.{name}.type", name, info)
            declare_options(self._node, RelayConfig, f"relay.{name}.")

    def _declared_names(self, key: str) -> tuple[str, ...]:
        try:
            return self._names(key)
        except ConfigError:
            return ()  # reported when the node is configured


def _overlaps(specs: Mapping[str, DeviceSpec]) -> dict[str, str]:
    return overlaps_within({name: spec.config.claims() for name, spec in specs.items()})
