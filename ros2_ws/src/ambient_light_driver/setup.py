# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from setuptools import find_packages, setup

package_name = "ambient_light_driver"
# fer_common is not on PyPI: pip builds it from the folder beside this one. colcon and rosdep go by
# package.xml; but colcon refuses an address without a host, and then finds no tests.
sibling = Path(__file__).resolve().parent.parent / "fer_common"
address = sibling.as_uri().replace("file://", "file://localhost")
fer_common = f"fer_common @ {address}" if sibling.is_dir() else "fer_common"
palettes = [str(path) for path in sorted(Path(package_name, "palettes").glob("*.yaml"))]

setup(
    name=package_name,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={package_name: ["py.typed", "palettes/*.yaml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package_name}"]),
        (f"share/{package_name}", ["package.xml"]),
        (f"share/{package_name}/palettes", palettes),
    ],
    python_requires=">=3.10",
    install_requires=[fer_common, "numpy", "pyyaml"],
    extras_require={"test": ["pytest"]},
    zip_safe=False,
    maintainer="Maintainers of fer_perception",
    maintainer_email="maintainers@example.com",
    description="Light that follows the apparent expression of a face: smooth and flash-safe.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "light_node = ambient_light_driver.nodes.commands:light_node",
        ],
        "ambient_light_driver.devices": [
            "adalight = ambient_light_driver.devices.adalight:AdalightDevice",
            "artnet = ambient_light_driver.devices.artnet:ArtnetDevice",
            "dmx_usb_pro = ambient_light_driver.devices.dmx_usb_pro:DmxUsbProDevice",
            "hue = ambient_light_driver.devices.hue:HueDevice",
            "lifx = ambient_light_driver.devices.lifx:LifxDevice",
            "mqtt = ambient_light_driver.devices.mqtt:MqttDevice",
            "open_dmx_usb = ambient_light_driver.devices.open_dmx_usb:OpenDmxUsbDevice",
            "openrgb = ambient_light_driver.devices.openrgb:OpenRgbDevice",
            "sacn = ambient_light_driver.devices.sacn:SacnDevice",
            "terminal = ambient_light_driver.devices.terminal:TerminalDevice",
            "wled = ambient_light_driver.devices.wled:WledDevice",
        ],
    },
)
