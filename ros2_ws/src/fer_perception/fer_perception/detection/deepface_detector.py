# SPDX-License-Identifier: Apache-2.0
"""Detect faces with any of DeepFace's detectors."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..face import BoundingBox, Face, RgbImage

__all__ = ["DeepFaceDetector"]

# DeepFace names sides from the person's view; we name them from the viewer's.
_LANDMARK_KEYS = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")


class DeepFaceDetector:
    """A detector backend of DeepFace, with DeepFace's defaults.

    :param backend: DeepFace's name for it, for example "mtcnn" or "retinaface".
    :raises ModuleNotFoundError: when DeepFace is not installed.
    :raises ValueError: when DeepFace lacks the backend, or a package it requires is missing.
    """

    def __init__(self, backend: str) -> None:
        try:
            self._deepface: Any = importlib.import_module("deepface.DeepFace")
        except ImportError as error:
            raise ModuleNotFoundError(
                f"detector deepface:{backend} needs DeepFace, which cannot be imported ({error}): "
                "pip install deepface tensorflow-cpu tf-keras, or use detector mtcnn"
            ) from error
        self._backend = backend
        try:
            # The backend is built on first use: a small image reveals errors now.
            self.detect(np.zeros((64, 64, 3), np.uint8))
        except Exception as error:  # each backend fails with errors of its own libraries
            raise ValueError(f"detector deepface:{backend} cannot be used: {error}") from error

    def detect(self, image: RgbImage) -> list[Face]:
        """Return the faces in ``image``, the most certain first."""
        found = self._deepface.extract_faces(
            np.ascontiguousarray(image[:, :, ::-1]),
            detector_backend=self._backend,
            enforce_detection=False,
            align=True,
            normalize_face=False,
        )
        # Without a face DeepFace returns the whole image with a confidence of 0.
        faces = [_face(entry) for entry in found if entry["confidence"] != 0]
        return sorted(faces, key=lambda f: -f.confidence if math.isfinite(f.confidence) else 0.0)


def _face(entry: dict[str, Any]) -> Face:
    area = entry["facial_area"]
    confidence = entry["confidence"]
    return Face(
        BoundingBox(float(area["x"]), float(area["y"]), float(area["w"]), float(area["h"])),
        math.nan if confidence is None else float(confidence),
        np.array([_point(area.get(key)) for key in _LANDMARK_KEYS], np.float32),
    )


def _point(point: tuple[float, float] | None) -> NDArray[np.float32]:
    return np.array((math.nan, math.nan) if point is None else point, np.float32)
