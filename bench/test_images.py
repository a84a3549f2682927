# SPDX-License-Identifier: Apache-2.0
"""Images with a known number of faces, from the public-domain portrait."""

import numpy as np

from fer_perception.face import RgbImage
from fer_perception.images.frame_source import PortraitSource

_GRIDS = {1: (1, 1), 4: (2, 2), 20: (4, 5), 50: (5, 10)}
FACES = tuple(_GRIDS)
"""Possible numbers of faces per image."""


def moving_faces(width: int, height: int, count: int, frames: int) -> list[RgbImage]:
    """Return successive frames in which the faces of :func:`with_faces` move."""
    rows, columns = _GRIDS[count]
    source = PortraitSource(width // columns, height // rows)
    return [
        np.ascontiguousarray(np.tile(source.read(), (rows, columns, 1))) for _ in range(frames)
    ]


def with_faces(width: int, height: int, count: int) -> RgbImage:
    """Return an image with ``count`` faces, the same view in each field.

    :param count: one of :data:`FACES`, or 0 for a plain grey image.
    :raises ValueError: for any other count.
    """
    if count == 0:
        return np.full((height, width, 3), 128, np.uint8)
    if count not in _GRIDS:
        raise ValueError(f"count is {count}: expected 0 or one of {FACES}")
    return moving_faces(width, height, count, 1)[0]
