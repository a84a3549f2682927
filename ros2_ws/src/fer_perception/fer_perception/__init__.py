# SPDX-License-Identifier: Apache-2.0
"""Recognise the apparent facial expressions of faces in pictures and videos.

>>> from fer_perception import EmotionPipeline
>>> pipeline = EmotionPipeline.from_pretrained("vgg_stn")
>>> for face in pipeline.recognize("photo.jpg"):
...     print(face.emotion, face.confidence, face.box)

The sub-packages follow the data: ``images`` -> ``detection`` (faces) -> ``recognition`` (aligned
crops to scores) -> ``tracking`` (faces and scores over time), composed by ``pipeline``.
``inference`` runs the networks, ``runtime`` serves a stream, and ``nodes`` holds all code that
uses ROS.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fer_common.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from .api import EmotionPipeline, FrameEmotions
    from .emotions import EMOTIONS
    from .face import BoundingBox
    from .face_emotion import FaceEmotion
    from .images.decoding import ImageError
    from .images.frames import Frame, FrameSourceError
    from .inference.model_files import ModelError
    from .recognition.installed_models import list_models

__all__ = [
    "EMOTIONS",
    "BoundingBox",
    "EmotionPipeline",
    "FaceEmotion",
    "Frame",
    "FrameEmotions",
    "FrameSourceError",
    "ImageError",
    "ModelError",
    "list_models",
]

# ONNX Runtime from 1.29 on reports to Microsoft which models run, and keeps a database for that
# in the user's cache, unless this is set before it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# What OpenCV and FFmpeg cannot read is reported by our own messages, which name the file.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "EMOTIONS": "emotions",
        "BoundingBox": "face",
        "EmotionPipeline": "api",
        "FaceEmotion": "face_emotion",
        "Frame": "images.frames",
        "FrameEmotions": "api",
        "FrameSourceError": "images.frames",
        "ImageError": "images.decoding",
        "ModelError": "inference.model_files",
        "list_models": "recognition.installed_models",
    },
)
