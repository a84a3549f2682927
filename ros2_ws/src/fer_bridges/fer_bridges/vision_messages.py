# SPDX-License-Identifier: Apache-2.0
"""From our messages to those of ``vision_msgs`` 4."""

from __future__ import annotations

from typing import Any

from fer_msgs.msg import EmotionArray
from std_msgs.msg import Header

from fer_perception.emotions import EMOTIONS

from .message_package import message_package


class VisionMessages:
    """Makes the messages about all faces of an image.

    :raises ModuleNotFoundError: when ``vision_msgs`` is not installed.
    """

    def __init__(self) -> None:
        self._messages: Any = message_package("vision_msgs")

    @property
    def detections_type(self) -> type:
        """``Detection2DArray``."""
        detections: type = self._messages.Detection2DArray
        return detections

    @property
    def label_info_type(self) -> type:
        """``LabelInfo``."""
        label_info: type = self._messages.LabelInfo
        return label_info

    def detections(self, emotions: EmotionArray) -> Any:
        """Return one detection a face, with all seven hypotheses, the likeliest first.

        Their class ids are the numbers, as text, that :meth:`label_info` gives names to.
        """
        message = self._messages.Detection2DArray(header=emotions.header)
        for face in emotions.faces:
            detection = self._messages.Detection2D(header=face.header, id=face.face_id)
            box = face.roi
            detection.bbox.center.position.x = box.x_offset + box.width / 2.0
            detection.bbox.center.position.y = box.y_offset + box.height / 2.0
            detection.bbox.size_x = float(box.width)
            detection.bbox.size_y = float(box.height)
            ranked = sorted(enumerate(face.scores), key=lambda pair: -pair[1])
            for number, score in ranked:
                hypothesis = self._messages.ObjectHypothesisWithPose()
                hypothesis.hypothesis.class_id = str(number)
                hypothesis.hypothesis.score = float(score)
                detection.results.append(hypothesis)
            message.detections.append(detection)
        return message

    def label_info(self, header: Header, min_confidence: float) -> Any:
        """Return the classes by their number in ``EmotionStamped.scores``."""
        classes = [
            self._messages.VisionClass(class_id=number, class_name=label)
            for number, label in enumerate(EMOTIONS)
        ]
        return self._messages.LabelInfo(header=header, class_map=classes, threshold=min_confidence)
