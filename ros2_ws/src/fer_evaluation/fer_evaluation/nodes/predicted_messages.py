# SPDX-License-Identifier: Apache-2.0
"""Convert messages of fer_msgs to predictions."""

from __future__ import annotations

import numpy as np
from fer_msgs.msg import EmotionArray
from rclpy.time import Time

from fer_perception.face import BoundingBox

from ..scoring.predicted_face import PredictedFace, PredictedFrame


def to_predicted_frame(message: EmotionArray) -> PredictedFrame:
    """Return the predictions in a message."""
    faces = tuple(
        PredictedFace(
            face.face_id,
            BoundingBox(face.roi.x_offset, face.roi.y_offset, face.roi.width, face.roi.height),
            face.emotion,
            np.asarray(face.scores, np.float32),
        )
        for face in message.faces
    )
    size = (message.image_width, message.image_height)
    return PredictedFrame(Time.from_msg(message.header.stamp).nanoseconds, size, faces)


def latency_s(message: EmotionArray) -> float | None:
    """Return the frame's latency from its receipt [s]; None without a face."""
    if not message.faces:
        return None
    latency = message.faces[0].processing_latency
    return float(latency.sec) + 1e-9 * float(latency.nanosec)
