# SPDX-License-Identifier: Apache-2.0
"""Files to download: settings, faces as CSV, a picture without faces."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import cv2
import numpy as np
import yaml
from fer_msgs.msg import EmotionArray, EmotionStamped

from fer_bringup.dashboard.robot import SAVED, Robot
from fer_perception.face import BoundingBox, Face
from fer_perception.face_emotion import FaceEmotion
from fer_perception.images.annotation import annotate

_GROUND = 40
_MAX_SIDE_PX = 4096
# Belong to one run, not to the settings.
_LEFT_OUT = ("use_sim_time", "start_type_description_service")


async def settings_yaml(robot: Robot) -> str:
    """Return the parameters of the robot's nodes as a file for ``params_file:=``.

    :raises LookupError: when no node answers.
    """
    # In any namespace, as launch/config/fer_light.yaml.
    nodes = {
        f"/**/{name}": {"ros__parameters": _settings(values)}
        for name in SAVED
        if (values := await robot.parameters[name].read_all())
    }
    if not nodes:
        raise LookupError("no node answers")
    missing = [name for name in SAVED if f"/**/{name}" not in nodes]
    lines = [f"# Settings of {robot.namespace}, saved on {datetime.now():%Y-%m-%d %H:%M:%S}."]
    lines += ["# ros2 launch fer_bringup fer_light.launch.py params_file:=THIS_FILE"]
    lines += [f"# Did not answer, so is not in here: {name}." for name in missing]
    return "\n".join(lines) + "\n" + yaml.safe_dump(nodes, sort_keys=True, allow_unicode=True)


def _settings(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.tolist() if hasattr(value, "tolist") else value  # arrays of numbers
        for name, value in values.items()
        if name not in _LEFT_OUT and not name.startswith("qos_overrides.") and value is not None
    }


def picture_without_faces(message: EmotionArray, min_confidence: float) -> bytes:
    """Return a PNG of boxes and labels without the camera's image.

    :param min_confidence: faces below it are labelled "unknown".
    :raises ValueError: when the message has no image size, or one that is too large.
    """
    width, height = message.image_width, message.image_height
    if not (0 < width <= _MAX_SIDE_PX and 0 < height <= _MAX_SIDE_PX):
        raise ValueError(f"the image size is {width} x {height} px")
    ground = np.full((height, width, 3), _GROUND, np.uint8)
    faces = [_face(face, width, height) for face in message.faces]
    drawn = annotate(ground, faces, min_confidence)
    _, png = cv2.imencode(".png", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    return png.tobytes()


def _face(face: EmotionStamped, width: int, height: int) -> FaceEmotion:
    roi = face.roi
    box = BoundingBox(roi.x_offset, roi.y_offset, roi.width, roi.height).clipped(width, height)
    points = np.array([(point.x, point.y) for point in face.landmarks], np.float32)
    points[(points < 0).any(axis=1) | (points > max(width, height)).any(axis=1)] = np.nan
    scores = np.clip(np.nan_to_num(np.asarray(face.scores, np.float32)), 0.0, 1.0)
    return FaceEmotion(face.face_id, Face(box, float("nan"), points), scores)
