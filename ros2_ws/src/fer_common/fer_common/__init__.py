# SPDX-License-Identifier: Apache-2.0
"""Code shared by perception, light, bridges and bring-up; only ``nodes`` needs ROS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy_exports import lazy_exports

if TYPE_CHECKING:
    from .atomic_file import put_in_place, replacing, write_atomically
    from .backoff import Backoff
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

# Lazily: each command loads this package before it handles Ctrl-C.
__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Backoff": "backoff",
        "ConfigError": "options",
        "Option": "options",
        "Stopwatch": "resettable_clock",
        "StreamClock": "resettable_clock",
        "build_config": "options",
        "defaults_of": "options",
        "option": "options",
        "options_of": "options",
        "put_in_place": "atomic_file",
        "replacing": "atomic_file",
        "write_atomically": "atomic_file",
    },
)
