# SPDX-License-Identifier: Apache-2.0
"""Read FER2013 from lossless sheets of 64 x 64 tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from .fer2013 import FACE_PX, Fer2013

LABELS_FILE: Final = "labels.npz"
_TILES_PER_ROW: Final = 64
_FLAG_WRONG_VOTES: Final = 2  # the votes belong to another picture


def read_sheets(folder: Path) -> Fer2013:
    """Read ``sheet_NN.png`` and ``labels.npz``.

    :raises FileNotFoundError: naming the file that is missing.
    :raises ValueError: naming the file that cannot be read.
    """
    labels_path = folder / LABELS_FILE
    if not labels_path.is_file():
        raise FileNotFoundError(f"{labels_path} is missing")
    with np.load(labels_path, allow_pickle=False) as labels:
        votes, usage, flags = labels["votes"], labels["usage"], labels["flags"]
    images = np.empty((len(usage), FACE_PX, FACE_PX), np.uint8)
    per_sheet = _TILES_PER_ROW * _TILES_PER_ROW
    for start in range(0, len(usage), per_sheet):
        path = folder / f"sheet_{start // per_sheet:02d}.png"
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: it holds the rows from {start} on")
        sheet = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if sheet is None or sheet.shape[1] != _TILES_PER_ROW * FACE_PX:
            raise ValueError(
                f"{path} is not a sheet with {_TILES_PER_ROW} columns of {FACE_PX} px"
            )
        tiles = sheet.reshape(-1, FACE_PX, _TILES_PER_ROW, FACE_PX).swapaxes(1, 2)
        tiles = tiles.reshape(-1, FACE_PX, FACE_PX)
        stop = min(start + per_sheet, len(usage))
        images[start:stop] = tiles[: stop - start]
    return Fer2013(images, votes, usage, (flags & _FLAG_WRONG_VOTES) != 0)
