# SPDX-License-Identifier: Apache-2.0
"""Change how a person looks: turn the head, put glasses on, cover the mouth."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .people import Person

# Radius of a head, modelled as an upright cylinder, in widths of the face's box.
_RADIUS: Final = 0.75
_BLACK: Final = (20, 20, 20)
_SKIN: Final = (190, 150, 130)


def turned(person: Person, degrees: float) -> Person:
    """Return the person with the head turned; positive to the left of the image."""
    radius, middle = _RADIUS * person.face.box.width, person.face.box.center[0]
    angle = np.radians(degrees)
    columns = np.arange(person.cutout.shape[1], dtype=np.float32)
    place = (columns - middle) / radius
    source = np.arcsin(np.clip(place, -1.0, 1.0)) + angle
    source = middle + radius * np.sin(np.clip(source, -np.pi / 2.0, np.pi / 2.0))
    across = np.where(np.abs(place) < 1.0, source, columns).astype(np.float32)
    x, y = np.meshgrid(across, np.arange(person.cutout.shape[0], dtype=np.float32))
    landmarks = person.face.landmarks.copy()
    place = np.arcsin(np.clip((landmarks[:, 0] - middle) / radius, -1.0, 1.0))
    landmarks[:, 0] = middle + radius * np.sin(place - angle)
    return replace(
        person,
        cutout=cv2.remap(person.cutout, x, y, cv2.INTER_LINEAR),
        face=replace(person.face, landmarks=landmarks),
    )


def glasses(person: Person) -> Person:
    """Return the person with glasses of a thick black rim."""
    cutout = person.cutout.copy()
    eyes = person.face.landmarks[:2]
    distance = float(np.linalg.norm(eyes[1] - eyes[0]))
    width = max(2, round(0.08 * distance))
    for eye in eyes:
        cv2.circle(cutout, _pixel(eye), round(0.42 * distance), _BLACK, width)
    inner = np.array([0.42 * distance, 0.0])
    cv2.line(cutout, _pixel(eyes[0] + inner), _pixel(eyes[1] - inner), _BLACK, width)
    return replace(person, cutout=cutout)


def hand(person: Person) -> Person:
    """Return the person with something of the colour of skin before the mouth."""
    cutout = person.cutout.copy()
    eyes, mouth = person.face.landmarks[:2], person.face.landmarks[3:].mean(axis=0)
    distance = float(np.linalg.norm(eyes[1] - eyes[0]))
    axes = round(0.8 * distance), round(0.5 * distance)
    cv2.ellipse(cutout, _pixel(mouth), axes, 0.0, 0.0, 360.0, _SKIN, cv2.FILLED)
    return replace(person, cutout=cutout)


def _pixel(point: NDArray[np.float32]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
