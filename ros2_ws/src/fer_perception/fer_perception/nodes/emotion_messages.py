# SPDX-License-Identifier: Apache-2.0
"""Convert core types to fer_msgs."""

from __future__ import annotations

from collections.abc import Sequence

from builtin_interfaces.msg import Duration
from fer_msgs.msg import EmotionArray, EmotionStamped, Point2D
from sensor_msgs.msg import RegionOfInterest
from std_msgs.msg import Header

from ..face import BoundingBox
from ..face_emotion import FaceEmotion


def to_duration(seconds: float) -> Duration:
    """Return the message; negative values become zero."""
    nanoseconds = max(0, round(seconds * 1e9))
    return Duration(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def to_emotion_array(
    emotions: Sequence[FaceEmotion],
    header: Header,
    image_size: tuple[int, int],
    model_id: str,
    min_confidence: float,
    latency_s: float,
) -> EmotionArray:
    """Return the message for all faces of one image.

    :param header: of the source image.
    :param image_size: (width, height) in pixels.
    :param min_confidence: faces below it are labelled "unknown".
    :param latency_s: time since receipt of the image.
    """
    latency = to_duration(latency_s)
    width, height = image_size
    return EmotionArray(
        header=header,
        image_width=width,
        image_height=height,
        faces=[
            _to_emotion(
                emotion,
                header,
                emotion.face.box.clipped(width, height),
                model_id,
                min_confidence,
                latency,
            )
            for emotion in emotions
        ],
    )


def _to_emotion(
    emotion: FaceEmotion,
    header: Header,
    box: BoundingBox,
    model_id: str,
    min_confidence: float,
    latency: Duration,
) -> EmotionStamped:
    valence, arousal = emotion.valence_arousal
    left, top = round(box.x), round(box.y)
    return EmotionStamped(
        header=header,
        face_id=emotion.face_id,
        roi=RegionOfInterest(
            x_offset=left,
            y_offset=top,
            width=round(box.x + box.width) - left,
            height=round(box.y + box.height) - top,
        ),
        emotion=emotion.label(min_confidence),
        confidence=emotion.confidence,
        scores=emotion.scores,
        entropy=emotion.entropy,
        valence=valence,
        arousal=arousal,
        detection_confidence=emotion.face.confidence,
        landmarks=[Point2D(x=float(x), y=float(y)) for x, y in emotion.face.landmarks],
        quality=emotion.quality.value,
        quality_faults=int(emotion.quality.faults),
        model_id=model_id,
        processing_latency=latency,
    )
