# SPDX-License-Identifier: Apache-2.0
"""Show apparent expressions as smooth, flash-safe light on real lamps.

Without ROS::

    from ambient_light_driver import AmbientLight, make_device

    with AmbientLight([make_device("sacn", destination="192.168.0.20", universe=1)]) as light: for
        emotions in recognized:  # such as {"happiness": 0.8, "neutral": 0.2}; None without a face
        print(light.show(emotions).color)

The modules of this package do not use ROS, except those in
:mod:`ambient_light_driver.nodes`, which connect them to a ROS 2 graph.
"""

from ambient_light_driver.ambient_light import AmbientLight, make_device
from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.color.palette import Palette, emotion_names, load_palette
from ambient_light_driver.color.palette import shipped_palettes as list_palettes
from ambient_light_driver.devices.device_registry import installed_device_types as list_devices
from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice
from ambient_light_driver.light_state import LightState
from ambient_light_driver.pipeline import LightPipeline
from ambient_light_driver.safety.flash_limiter import FlashLimiter
from ambient_light_driver.selection.observation import FaceObservation
from ambient_light_driver.settings import LightSettings
from fer_common.options import ConfigError

__all__ = [
    "AmbientLight",
    "ConfigError",
    "DeviceConfig",
    "FaceObservation",
    "FlashLimiter",
    "LightColor",
    "LightDevice",
    "LightPipeline",
    "LightSettings",
    "LightState",
    "Palette",
    "emotion_names",
    "list_devices",
    "list_palettes",
    "load_palette",
    "make_device",
]
