# SPDX-License-Identifier: Apache-2.0
"""Cut people out of photographs, to be pasted into sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_perception.detection.mtcnn import Mtcnn
from fer_perception.face import BoundingBox, Face, RgbImage
from fer_perception.recognition.alignment import align_faces
from fer_perception.tracking.look import MIN_SIMILARITY, look_of, share_a_half, similarity

SIDE_PX: Final = 100.0
"""Side of every face in its cutout."""
_CUTOUT_PX: Final = 260
_SUFFIXES: Final = (".jpg", ".jpeg", ".png")
_MIN_SIDE_PX: Final = 40.0
_MIN_CONFIDENCE: Final = 0.99


@dataclass(frozen=True, eq=False)
class Person:
    """A head cut out of a photograph.

    :ivar name: file and number of the face.
    :ivar cutout: RGB, the centre of the face in its middle.
    :ivar opacity: of each pixel of the cutout, in [0, 1].
    :ivar face: as detected, in pixels of the cutout.
    """

    name: str
    cutout: RgbImage
    opacity: NDArray[np.float32]
    face: Face


def photographs_of(paths: Sequence[Path]) -> list[Path]:
    """Return the files among ``paths`` and those in the folders among them."""
    return [
        file
        for path in paths
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.suffix.lower() in _SUFFIXES
    ]


def people_of(photographs: Sequence[Path]) -> list[Person]:
    """Return the people of photographs and of folders of them, each face as another person.

    :raises ValueError: when a photograph cannot be read, or no face is large enough.
    """
    files = photographs_of(photographs)
    people = []
    detector = Mtcnn()
    for file in files:
        image = cv2.imread(str(file))
        if image is None:
            raise ValueError(f"{file} cannot be read as a picture: remove it from the folder")
        people += _people(file.name, cv2.cvtColor(image, cv2.COLOR_BGR2RGB), detector)
    if not people:
        raise ValueError(
            f"no face of at least {_MIN_SIDE_PX:g} px in {', '.join(map(str, photographs))}: give "
            "photographs of people"
        )
    return people


def _people(name: str, image: RgbImage, detector: Mtcnn) -> list[Person]:
    return [
        _person(f"{name} {number}", image, face)
        for number, face in enumerate(detector.detect(image))
        if face.confidence >= _MIN_CONFIDENCE and face.box.area >= _MIN_SIDE_PX**2
    ]


def _person(name: str, image: RgbImage, face: Face) -> Person:
    scale, middle = SIDE_PX / face.box.area**0.5, _CUTOUT_PX / 2.0
    x, y = face.box.center
    matrix = np.array([[scale, 0.0, middle - scale * x], [0.0, scale, middle - scale * y]])
    if scale < 1.0:  # warping alone would alias
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / scale)
    cutout = cv2.warpAffine(
        image, matrix, (_CUTOUT_PX, _CUTOUT_PX), borderMode=cv2.BORDER_REPLICATE
    )
    across, down = np.meshgrid(*[np.arange(_CUTOUT_PX, dtype=np.float32)] * 2)
    distance = np.hypot((across - middle) / 85.0, (down - middle + 8.0) / 108.0)
    opacity = np.clip((1.0 - distance) / 0.08, 0.0, 1.0).astype(np.float32)
    landmarks = face.landmarks * scale + matrix[:, 2]
    width, height = scale * face.box.width, scale * face.box.height
    placed = BoundingBox(middle - width / 2.0, middle - height / 2.0, width, height)
    return Person(name, cutout, opacity, Face(placed, 1.0, landmarks.astype(np.float32)))


def share_alike(people: Sequence[Person]) -> float:
    """Return the share of the pairs of people whose looks the tracker takes for one person."""
    looks = [look_of(align_faces(p.cutout, [p.face])[0]) for p in people]
    pairs = [
        similarity(a, b) >= MIN_SIMILARITY or share_a_half(a, b) for a, b in combinations(looks, 2)
    ]
    return sum(pairs) / max(1, len(pairs))
