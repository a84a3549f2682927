# SPDX-License-Identifier: Apache-2.0
"""Bridges to the messages of ROS4HRI (REP-155) and vision_msgs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_common.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from .expression_names import DEFAULT_NAMES, HRI_EXPRESSIONS
    from .face_crop import aligned, cropped
    from .public_ids import PublicIds
    from .ros4hri_messages import Ros4HriMessages
    from .vision_messages import VisionMessages

__all__ = [
    "DEFAULT_NAMES",
    "HRI_EXPRESSIONS",
    "PublicIds",
    "Ros4HriMessages",
    "VisionMessages",
    "aligned",
    "cropped",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "DEFAULT_NAMES": "expression_names",
        "HRI_EXPRESSIONS": "expression_names",
        "PublicIds": "public_ids",
        "Ros4HriMessages": "ros4hri_messages",
        "VisionMessages": "vision_messages",
        "aligned": "face_crop",
        "cropped": "face_crop",
    },
)
