# SPDX-License-Identifier: Apache-2.0
"""Code shared by perception, light, bridges and bring-up; only ``nodes`` needs ROS."""

from .atomic_file import put_in_place, replacing, write_atomically
from .backoff import Backoff
from .lazy_exports import lazy_exports
from .options import ConfigError, Option, build_config, defaults_of, option, options_of
from .resettable_clock import Stopwatch, StreamClock

__all__ = [
    "Backoff",
    "ConfigError",
    "Option",
    "Stopwatch",
    "StreamClock",
    "build_config",
    "defaults_of",
    "lazy_exports",
    "option",
    "options_of",
    "put_in_place",
    "replacing",
    "write_atomically",
]
