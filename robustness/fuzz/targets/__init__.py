# SPDX-License-Identifier: Apache-2.0
"""The targets, one per module."""

from __future__ import annotations

from typing import Final

from ..target import Target
from . import (
    bags,
    compressed_images,
    dashboard_messages,
    dashboard_requests,
    emotion_messages,
    faces,
    flashes,
    models,
    palettes,
    parameters,
    raw_images,
    searched_images,
)

TARGETS: Final[dict[str, Target]] = {
    target.name: target
    for module in (
        raw_images,
        compressed_images,
        searched_images,
        faces,
        flashes,
        emotion_messages,
        palettes,
        parameters,
        bags,
        models,
        dashboard_messages,
        dashboard_requests,
    )
    for target in module.TARGETS
}
"""By name."""
