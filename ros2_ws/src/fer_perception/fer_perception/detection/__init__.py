# SPDX-License-Identifier: Apache-2.0
"""Face detectors behind one interface.

To add one, write a class with a ``detect`` method in its own module and add its name to
:func:`create_detector`.
"""

from __future__ import annotations

from typing import Protocol

from ..face import Face, RgbImage
from .deepface_detector import DeepFaceDetector
from .mtcnn import Mtcnn, MtcnnConfig

__all__ = ["DeepFaceDetector", "FaceDetector", "Mtcnn", "MtcnnConfig", "create_detector"]

_DEEPFACE_PREFIX = "deepface:"


class FaceDetector(Protocol):
    """Detect faces in an image."""

    def detect(self, image: RgbImage) -> list[Face]:
        """Return the faces in ``image``, the most certain first."""
        ...


def create_detector(name: str, config: MtcnnConfig | None = None) -> FaceDetector:
    """Return the detector ``name``: "mtcnn" or "deepface:BACKEND".

    :param config: of the built-in MTCNN; None for its defaults; DeepFace's backends ignore it.
    :raises ValueError: when the name is unknown.
    :raises ModuleNotFoundError: when a package required by the detector is missing.
    :raises ~fer_perception.inference.model_files.ModelError: when the weights are missing.
    """
    if name == "mtcnn":
        return Mtcnn(config)
    if name.startswith(_DEEPFACE_PREFIX):
        return DeepFaceDetector(name.removeprefix(_DEEPFACE_PREFIX))
    raise ValueError(f"unknown detector {name!r}: expected mtcnn or {_DEEPFACE_PREFIX}BACKEND")
