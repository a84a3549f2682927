# SPDX-License-Identifier: Apache-2.0
"""Make small pictures of faces for a report, only on request."""

from __future__ import annotations

import base64
from typing import Final

import cv2

from fer_perception.face import RgbImage

from ..scoring.predicted_face import PredictedFace, PredictedFrame

_SIDE_PX: Final = 72
_MARGIN: Final = 0.2  # of the box's side, on each side
_MAX_FACES: Final = 64


class Thumbnails:
    """Keep the best view of each face, by size and confidence."""

    def __init__(self) -> None:
        self._best: dict[str, tuple[float, bytes]] = {}

    def add(self, frame: PredictedFrame, pixels: RgbImage) -> None:
        """Consider the faces of a frame."""
        for face in frame.faces:
            quality = face.box.area * face.confidence
            known = self._best.get(face.face_id)
            if known is None and len(self._best) >= _MAX_FACES:
                continue
            if known is None or quality > 1.1 * known[0]:
                self._best[face.face_id] = (quality, _picture(face, pixels))

    def data_uris(self) -> dict[str, str]:
        """Return a ``data:`` URI of each face's picture."""
        return {
            face_id: "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
            for face_id, (_, jpeg) in self._best.items()
            if jpeg
        }


def _picture(face: PredictedFace, pixels: RgbImage) -> bytes:
    box = face.box
    margin = _MARGIN * max(box.width, box.height)
    left, top = max(0, round(box.x - margin)), max(0, round(box.y - margin))
    right, bottom = round(box.x + box.width + margin), round(box.y + box.height + margin)
    crop = pixels[top:bottom, left:right]
    if not crop.size:
        return b""
    scale = _SIDE_PX / max(crop.shape[:2])
    size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    return jpeg.tobytes()
