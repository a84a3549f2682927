# SPDX-License-Identifier: Apache-2.0
"""FER2013 with the FER+ votes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

FACE_PX: Final = 48
"""Width and height of every picture."""


class Usage(IntEnum):
    """FER2013's splits.

    The report tests on PUBLIC_TEST and validates on PRIVATE_TEST.
    """

    TRAINING = 0
    PUBLIC_TEST = 1
    PRIVATE_TEST = 2


@dataclass(frozen=True)
class Fer2013:
    """Pictures, of FER2013 or others, with votes row by row.

    :ivar images: N x 48 x 48, grey, uint8.
    :ivar votes: N x 10, in the order of :data:`~.votes.VOTE_COLUMNS`.
    :ivar usage: N, of :class:`Usage`.
    :ivar wrong_votes: N, true where the votes belong to another picture.
    """

    images: NDArray[np.uint8]
    votes: NDArray[np.integer]
    usage: NDArray[np.integer]
    wrong_votes: NDArray[np.bool_]

    def rows(self, usage: Usage) -> NDArray[np.int64]:
        """Return the rows of one split without those with wrong votes."""
        return np.flatnonzero((self.usage == usage) & ~self.wrong_votes)

    def leak_free_training_rows(self) -> NDArray[np.int64]:
        """Return the training rows without pictures of the test splits."""
        held_out = {image.tobytes() for image in self.images[self.usage != Usage.TRAINING]}
        rows = self.rows(Usage.TRAINING)
        return rows[[self.images[row].tobytes() not in held_out for row in rows]]
