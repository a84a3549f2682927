# SPDX-License-Identifier: Apache-2.0
"""The README's tables must not drift from the code."""

from dataclasses import fields
from pathlib import Path

import pytest

from ambient_light_driver.color.palette import shipped_palettes
from ambient_light_driver.devices.device_registry import installed_device_types, load_device_type
from ambient_light_driver.settings import LightSettings

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize("field", fields(LightSettings), ids=lambda field: field.name)
def test_every_parameter_stands_in_the_readme_with_its_default(field):
    default = f'"{field.default}"' if isinstance(field.default, str) else str(field.default)
    assert f"| `{field.name}` | `{default}` |" in README.read_text()


def test_every_device_and_each_of_its_options_stands_in_the_readme():
    types = installed_device_types()
    if not types:
        pytest.skip("the package is not installed: its devices were not looked up")
    text = README.read_text()
    for name in types:
        assert f"| `{name}` |" in text
        for field in fields(load_device_type(name).config_type):
            assert f"`{field.name}`" in text, f"{name}: {field.name}"


def test_every_palette_stands_in_the_readme():
    text = README.read_text()
    assert all(f"`{name}`" in text for name in shipped_palettes())


def test_every_parameter_of_the_node_and_every_relay_stands_in_the_readme():
    pytest.importorskip("rclpy", reason="no ROS 2: the node's own parameters were not looked up")
    from ambient_light_driver.nodes.color_relay import RELAYS, RelayConfig
    from ambient_light_driver.nodes.light_parameters import NodeSettings

    text = README.read_text()
    assert all(f"| `{field.name}` |" in text for field in fields(NodeSettings))
    assert all(f"`{name}`" in text for name in RELAYS)
    assert all(f"`{field.name}`" in text for field in fields(RelayConfig))
