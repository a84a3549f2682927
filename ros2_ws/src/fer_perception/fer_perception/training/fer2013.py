# SPDX-License-Identifier: Apache-2.0
"""Reads FER2013 with the FER+ votes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_TILE_PX: Final = 48
_TILES_PER_ROW: Final = 64
_FLAG_BLANK: Final = 2  # the picture is blank and its votes are another row's


class Usage(IntEnum):
    """FER2013's splits. The report tests on PUBLIC_TEST and validates on PRIVATE_TEST."""

    TRAINING = 0
    PUBLIC_TEST = 1
    PRIVATE_TEST = 2


@dataclass(frozen=True)
class Fer2013:
    """FER2013's pictures with the FER+ votes, row for row.

    :ivar images: N x 48 x 48, grey, uint8.
    :ivar votes: N x 10, in the order of :data:`~.votes.VOTE_COLUMNS`.
    :ivar usage: N, of :class:`Usage`.
    :ivar first_same: N, the first row that holds the same picture (its own row, if none did).
    :ivar blank: N, true where the picture is blank and must not be used.
    """

    images: NDArray[np.uint8]
    votes: NDArray[np.integer]
    usage: NDArray[np.integer]
    first_same: NDArray[np.integer]
    blank: NDArray[np.bool_]

    def rows(self, usage: Usage) -> NDArray[np.int64]:
        """Return the rows of one split, without blank pictures."""
        return np.flatnonzero((self.usage == usage) & ~self.blank)

    def leak_free_training_rows(self) -> NDArray[np.int64]:
        """Return the training rows whose picture stands in neither of the test splits."""
        held_out = np.unique(self.first_same[self.usage != Usage.TRAINING])
        rows = self.rows(Usage.TRAINING)
        return rows[~np.isin(self.first_same[rows], held_out)]


def read_sheets(folder: Path) -> Fer2013:
    """Read the lossless form: ``sheet_NN.png`` of 64 x 64 tiles, and ``labels.npz``.

    :raises FileNotFoundError: naming the file that is missing.
    :raises ValueError: naming the file that cannot be read.
    """
    labels_path = folder / "labels.npz"
    if not labels_path.is_file():
        raise FileNotFoundError(
            f"{labels_path} is missing: --data must name the folder that holds labels.npz and "
            "sheet_00.png ..."
        )
    with np.load(labels_path, allow_pickle=False) as labels:
        votes, usage = labels["votes"], labels["usage"]
        first_same, flags = labels["first_same"], labels["flags"]
    images = np.empty((len(usage), _TILE_PX, _TILE_PX), np.uint8)
    per_sheet = _TILES_PER_ROW * _TILES_PER_ROW
    for start in range(0, len(usage), per_sheet):
        path = folder / f"sheet_{start // per_sheet:02d}.png"
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: rows {start} and on are in it")
        sheet = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if sheet is None or sheet.shape[1] != _TILES_PER_ROW * _TILE_PX:
            raise ValueError(f"{path} is no sheet of {_TILES_PER_ROW} x {_TILE_PX} px columns")
        tiles = sheet.reshape(-1, _TILE_PX, _TILES_PER_ROW, _TILE_PX).swapaxes(1, 2)
        tiles = tiles.reshape(-1, _TILE_PX, _TILE_PX)
        stop = min(start + per_sheet, len(usage))
        images[start:stop] = tiles[: stop - start]
    return Fer2013(images, votes, usage, first_same, (flags & _FLAG_BLANK) != 0)
