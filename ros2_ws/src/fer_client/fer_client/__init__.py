# SPDX-License-Identifier: Apache-2.0
"""Client of the perception for robot behaviours: who is there and how they look.

>>> from fer_client import ExpressionMonitor
>>> with ExpressionMonitor.standalone() as people:
...     print(people.wait_for("happiness", held_s=1.0, timeout_s=30.0).face_id, "smiles")

:mod:`.people` follows faces without ROS; ``nodes`` holds all code that uses ROS: the monitor, the
action server, and the actor that plays people for tests. :mod:`.trees` is for py_trees.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .face import Condition, Face
    from .nodes.expression_monitor import ExpressionMonitor
    from .people import PeopleConfig, Watch
    from .waiting import Reason, Wait, WaitTimeout

__all__ = [
    "Condition",
    "ExpressionMonitor",
    "Face",
    "PeopleConfig",
    "Reason",
    "Wait",
    "WaitTimeout",
    "Watch",
]

# Loaded on first use: the core is there without ROS.
_MODULES = {
    "Condition": "face",
    "ExpressionMonitor": "nodes.expression_monitor",
    "Face": "face",
    "PeopleConfig": "people",
    "Reason": "waiting",
    "Wait": "waiting",
    "WaitTimeout": "waiting",
    "Watch": "people",
}


def __getattr__(name: str) -> Any:
    """Return a public name, importing the module that defines it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted({*globals(), *__all__})
