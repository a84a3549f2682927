# SPDX-License-Identifier: Apache-2.0
"""Show apparent expressions as smooth, flash-safe light on real lamps.

Without ROS::

    from ambient_light_driver import AmbientLight, make_device

    with AmbientLight([make_device("sacn", destination="192.168.0.20", universe=1)]) as light:
        # Such as {"happiness": 0.8, "neutral": 0.2}; None without a face.
        for emotions in recognized:
            print(light.show(emotions).color)

The modules of this package do not use ROS, except those in
:mod:`ambient_light_driver.nodes`, which connect them to a ROS 2 graph.
"""

from typing import TYPE_CHECKING

from fer_common.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from fer_common.options import ConfigError

    from .ambient_light import AmbientLight, make_device
    from .color.light_color import LightColor
    from .color.palette import Palette, emotion_names, load_palette
    from .color.palette import shipped_palettes as list_palettes
    from .devices.device_registry import installed_device_types as list_devices
    from .devices.light_device import DeviceConfig, LightDevice
    from .light_state import LightState
    from .pipeline import LightPipeline
    from .safety.flash_limiter import FlashLimiter
    from .selection.observation import FaceObservation
    from .settings import LightSettings

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

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "AmbientLight": "ambient_light",
        "ConfigError": "settings",
        "DeviceConfig": "devices.light_device",
        "FaceObservation": "selection.observation",
        "FlashLimiter": "safety.flash_limiter",
        "LightColor": "color.light_color",
        "LightDevice": "devices.light_device",
        "LightPipeline": "pipeline",
        "LightSettings": "settings",
        "LightState": "light_state",
        "Palette": "color.palette",
        "emotion_names": "color.palette",
        "list_devices": "devices.device_registry:installed_device_types",
        "list_palettes": "color.palette:shipped_palettes",
        "load_palette": "color.palette",
        "make_device": "ambient_light",
    },
)
