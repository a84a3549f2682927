# SPDX-License-Identifier: Apache-2.0
"""Convert messages to JSON values for the page."""

from __future__ import annotations

import math
import re
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from fer_msgs.msg import EmotionArray, FaceEvent
from std_msgs.msg import ColorRGBA

from ambient_light_driver.color.light_color import LightColor
from fer_bringup.dashboard.history import FaceSample

MAX_FACES = 12
"""Maximum number of faces that the page shows, largest first."""

_MAX_TEXT = 300
_ERROR_NUMBER = re.compile(r"\[Errno -?\d+\] ")

_EVENTS = {
    FaceEvent.FACE_APPEARED: "appeared",
    FaceEvent.FACE_LEFT: "left",
    FaceEvent.EMOTION_CHANGED: "changed",
    FaceEvent.EMOTION_HELD: "held",
}

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
            "id": face.face_id[:_MAX_TEXT],
            "emotion": face.emotion[:_MAX_TEXT],
            "confidence": _number(face.confidence),
            "scores": [_number(score) for score in face.scores],
            "valence": _number(face.valence) if math.isfinite(face.valence) else None,
        }
        for face in message.faces[:MAX_FACES]
    ]


def samples(message: EmotionArray) -> dict[str, FaceSample]:
    """Return id -> sample for the time line."""
    return {
        face.face_id[:_MAX_TEXT]: FaceSample(
            face.emotion[:_MAX_TEXT],
            tuple(round(1000 * min(1.0, max(0.0, _number(score)))) for score in face.scores),
            round(100 * min(1.0, max(-1.0, face.valence)))
            if math.isfinite(face.valence)
            else None,
        )
        for face in message.faces[:MAX_FACES]
    }


def event(message: FaceEvent) -> dict[str, Any]:
    """Return an event of a face."""
    seconds = message.duration.sec + 1e-9 * message.duration.nanosec
    return {
        "kind": _EVENTS.get(message.kind, "unknown"),
        "face": message.face_id[:_MAX_TEXT],
        "emotion": message.emotion[:_MAX_TEXT],
        "before": message.previous_emotion[:_MAX_TEXT],
        "lasted_s": round(seconds, 1),
    }


def lamp(message: ColorRGBA) -> dict[str, Any]:
    """Return the page's colour: sRGB scaled by brightness, 0 to 255."""
    color = LightColor(*(_number(v) for v in (message.r, message.g, message.b, message.a)))
    return {
        "rgb": screen_rgb(color),
        "brightness": color.brightness,
    }


def screen_rgb(color: LightColor) -> list[int]:
    """Return the light as sRGB, 0 to 255, brightness included."""
    return [round(255.0 * min(1.0, max(0.0, value))) for value in color.displayed_rgb()]


def lost_lamps(health: list[dict[str, Any]]) -> list[str]:
    """Return a sentence for each lamp that does not show the colour.

    :param health: entries of :func:`status`.
    """
    return [
        f"{part.strip().removeprefix('device ')}: {_ERROR_NUMBER.sub('', entry['message'])}"
        for entry in health
        if entry["level"] == "error"
        and (part := entry["name"].partition(":")[2]).strip().startswith(("device ", "relay "))
    ]


def status(message: DiagnosticStatus) -> dict[str, Any]:
    """Return one entry of the diagnostics list."""
    return {
        "name": message.name[:_MAX_TEXT],
        "level": _LEVELS.get(message.level, "error"),
        "message": message.message[:_MAX_TEXT],
        "values": {pair.key: pair.value for pair in message.values},
    }


def _number(value: float) -> float:
    return round(float(value), 4) if math.isfinite(value) else 0.0
