# SPDX-License-Identifier: Apache-2.0
"""Client for robot behaviours: who is there and how they look.

>>> from fer_client import ExpressionMonitor
>>> with ExpressionMonitor.standalone() as people:
...     print(people.wait_for("happiness", held_s=1.0, timeout_s=30.0).face_id, "smiles")

:mod:`.people` follows faces without ROS; ``nodes`` holds all code that uses ROS: the monitor, the
action server, and the actor that plays people for tests. :mod:`.trees` is for py_trees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_common.lazy_exports import lazy_exports

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

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Condition": "face",
        "ExpressionMonitor": "nodes.expression_monitor",
        "Face": "face",
        "PeopleConfig": "people",
        "Reason": "waiting",
        "Wait": "waiting",
        "WaitTimeout": "waiting",
        "Watch": "people",
    },
)
