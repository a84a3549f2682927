# SPDX-License-Identifier: Apache-2.0
"""From an image to the apparent expression of every face in it."""

from __future__ import annotations

import math
from typing import Final

from .alignment import align_faces
from .detection import FaceDetector
from .face import Face, RgbImage
from .face_emotion import FaceEmotion
from .recognition import EmotionRecognizer
from .smoothing import ScoreSmoother
from .tracking import FaceTracker

# Frames may overtake each other on the way; a larger step back means that time was set back.
_MAX_OVERTAKING_S: Final = 1.0


class EmotionPipeline:
    """Detects, aligns and recognises the faces of an image, and follows them over time.

    :param min_detection_confidence: faces of which the detector is less sure are left out, in
        [0, 1].
    """

    def __init__(
        self,
        detector: FaceDetector,
        recognizer: EmotionRecognizer,
        tracker: FaceTracker,
        smoother: ScoreSmoother,
        min_detection_confidence: float = 0.9,
    ) -> None:
        self.detector = detector
        self.recognizer = recognizer
        self.tracker = tracker
        self.smoother = smoother
        self.min_detection_confidence = min_detection_confidence
        self._last_stamp_s = -math.inf

    def recognize(self, image: RgbImage) -> list[FaceEmotion]:
        """Return the faces of a single image, largest first, without ids and smoothing."""
        faces = [
            face
            for face in self.detector.detect(image)
            # A detector that does not say how sure it is (NaN) is believed.
            if not face.confidence < self.min_detection_confidence and _touches(face, image)
        ]
        faces.sort(key=lambda face: -face.box.area)
        scores = self.recognizer.recognize(align_faces(image, faces))
        return [FaceEmotion("", face, row) for face, row in zip(faces, scores, strict=True)]

    def track(self, image: RgbImage, stamp_s: float) -> list[FaceEmotion]:
        """Return the faces of the next frame of a stream, largest first, with ids, smoothed.

        A stamp more than a second before the last one means that time was set back, as by a bag
        that starts anew: all faces are then new. One a little before it counts as the last one.

        :param stamp_s: when the frame was taken, in seconds of any clock.
        """
        if stamp_s < self._last_stamp_s - _MAX_OVERTAKING_S:
            self.tracker.reset()
        else:
            stamp_s = max(stamp_s, self._last_stamp_s)
        self._last_stamp_s = stamp_s
        seen = self.recognize(image)
        face_ids = self.tracker.update([emotion.face for emotion in seen], stamp_s)
        self.smoother.keep_only(self.tracker.face_ids | set(face_ids))
        return [
            FaceEmotion(
                face_id, emotion.face, self.smoother.update(face_id, emotion.scores, stamp_s)
            )
            for face_id, emotion in zip(face_ids, seen, strict=True)
        ]


def _touches(face: Face, image: RgbImage) -> bool:
    height, width = image.shape[:2]
    return face.box.clipped(width, height).area > 0.0
