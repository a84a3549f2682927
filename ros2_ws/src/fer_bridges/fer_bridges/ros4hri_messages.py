# SPDX-License-Identifier: Apache-2.0
"""Convert our messages to those of REP-155 (``hri_msgs``)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from fer_msgs.msg import EmotionStamped

from .message_package import message_package

FACES_TOPIC: Final = "/humans/faces"
"""Namespace of faces in REP-155: ``tracked`` and ``<id>/...`` below it."""

# The person's right is on the left of an image.
_LANDMARK_CODES: Final = (
    "RIGHT_PUPIL",
    "LEFT_PUPIL",
    "NOSE",
    "MOUTH_OUTER_RIGHT",
    "MOUTH_OUTER_LEFT",
)


class Ros4HriMessages:
    """Build the messages of one face.

    :param names: the name of ``hri_msgs/Expression`` for each of our classes.
    :raises ModuleNotFoundError: when ``hri_msgs`` is not installed.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._messages: Any = message_package("hri_msgs")
        self.names = names

    @property
    def types(self) -> dict[str, type]:
        """The type of each topic below ``/humans/faces/<id>/``."""
        return {
            "roi": self._messages.NormalizedRegionOfInterest2D,
            "landmarks": self._messages.FacialLandmarks,
            "expression": self._messages.Expression,
        }

    @property
    def ids_type(self) -> type:
        """The type of ``/humans/faces/tracked``."""
        ids: type = self._messages.IdsList
        return ids

    def expression(self, face: EmotionStamped) -> Any:
        """Return the expression, empty with confidence 0 when unknown."""
        message = self._messages.Expression(header=face.header)
        message.valence, message.arousal = (
            value if math.isfinite(value) else 0.0 for value in (face.valence, face.arousal)
        )
        if face.emotion in self.names:
            message.expression = self.names[face.emotion]
            message.confidence = face.confidence
        return message

    def roi(self, face: EmotionStamped, width: int, height: int) -> Any:
        """Return the box relative to the image size in pixels."""
        box = face.roi
        return self._messages.NormalizedRegionOfInterest2D(
            header=face.header,
            xmin=_share(box.x_offset, width),
            ymin=_share(box.y_offset, height),
            xmax=_share(box.x_offset + box.width, width),
            ymax=_share(box.y_offset + box.height, height),
            c=_confidence(face),
        )

    def landmarks(self, face: EmotionStamped, width: int, height: int) -> Any:
        """Return the five known landmarks; the others have confidence 0."""
        message = self._messages.FacialLandmarks(header=face.header, width=width, height=height)
        for code, point in zip(_LANDMARK_CODES, face.landmarks, strict=True):
            if math.isfinite(point.x) and math.isfinite(point.y):
                # The centre of our pixel 0 is at 0, while shares start at the image's edge.
                message.landmarks[getattr(message, code)] = (
                    self._messages.NormalizedPointOfInterest2D(
                        x=_share(point.x + 0.5, width),
                        y=_share(point.y + 0.5, height),
                        c=_confidence(face),
                    )
                )
        return message


def _share(pixels: float, size: int) -> float:
    return min(1.0, max(0.0, pixels / size)) if size > 0 else 0.0


def _confidence(face: EmotionStamped) -> float:
    confidence = face.detection_confidence
    # A detector without confidences (NaN) is trusted.
    return min(1.0, max(0.0, confidence)) if math.isfinite(confidence) else 1.0
