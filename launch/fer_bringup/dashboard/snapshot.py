# SPDX-License-Identifier: Apache-2.0
"""Convert messages to JSON values for the page."""

from __future__ import annotations

import math
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from fer_msgs.msg import EmotionArray
from std_msgs.msg import ColorRGBA

from ambient_light_driver.color.light_color import LightColor

MAX_FACES = 12
"""Maximum number of faces that the page shows, largest first."""

_LEVELS = {
    DiagnosticStatus.OK: "ok",
    DiagnosticStatus.WARN: "warn",
    DiagnosticStatus.ERROR: "error",
    DiagnosticStatus.STALE: "stale",
}


def faces(message: EmotionArray) -> list[dict[str, Any]]:
    """Return the faces of a message, largest first."""
    return [
        {
            "id": face.face_id,
            "emotion": face.emotion,
            "confidence": _number(face.confidence),
            "scores": [_number(score) for score in face.scores],
        }
        for face in message.faces[:MAX_FACES]
    ]


def lamp(message: ColorRGBA) -> dict[str, Any]:
    """Return the page's colour: sRGB scaled by brightness, 0 to 255."""
    color = LightColor(*(_number(v) for v in (message.r, message.g, message.b, message.a)))
    return {
        "rgb": [round(255.0 * min(1.0, max(0.0, value))) for value in color.displayed_rgb()],
        "brightness": color.brightness,
    }


def status(message: DiagnosticStatus) -> dict[str, Any]:
    """Return one entry of the diagnostics list."""
    return {
        "name": message.name,
        "level": _LEVELS.get(message.level, "error"),
        "message": message.message,
        "values": {pair.key: pair.value for pair in message.values},
    }


def _number(value: float) -> float:
    return round(float(value), 4) if math.isfinite(value) else 0.0
