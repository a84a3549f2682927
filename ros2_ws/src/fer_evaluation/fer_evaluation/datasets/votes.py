# SPDX-License-Identifier: Apache-2.0
"""Labels from the votes of FER+'s ten raters (Barsoum et al. 2016)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_perception.emotions import EMOTIONS

VOTE_COLUMNS: Final[tuple[str, ...]] = (*EMOTIONS, "contempt", "unknown", "NF")
"""The ten columns of FER+ in its order, which begins with the networks' classes."""

EXCLUDED: Final = -1
"""Label of a picture that a rule excludes."""


def plurality_labels(votes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return each picture's class by the report's rule, or :data:`EXCLUDED`.

    The column with most votes wins, the first of equals; a picture won by contempt, unknown or
    NF (no face) is excluded.

    :param votes: N x 10, in the order of :data:`VOTE_COLUMNS`.
    """
    winner = votes.argmax(axis=1)
    return np.where(winner < len(EMOTIONS), winner, EXCLUDED)


def without_outliers(votes: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return ``votes`` with single votes set to 0 (FER+, rule 1)."""
    return np.where(votes <= 1, 0, votes)


def soft_targets(votes: NDArray[np.integer]) -> NDArray[np.float32]:
    """Return the raters' normalised distribution over the classes, N x 7.

    Single votes count as slips of a rater, as in FER+. A row with only single votes for the
    classes keeps them.

    :raises ValueError: when a row has no vote for any of the classes.
    """
    cleaned = without_outliers(votes)[:, : len(EMOTIONS)].astype(np.float32)
    raw = votes[:, : len(EMOTIONS)].astype(np.float32)
    kept = np.where(cleaned.sum(axis=1, keepdims=True) > 0, cleaned, raw)
    total = kept.sum(axis=1, keepdims=True)
    if not (total > 0).all():
        row = int(np.flatnonzero(total[:, 0] <= 0)[0])
        raise ValueError(
            f"row {row} has no vote for any of {', '.join(EMOTIONS)}: exclude such rows first"
        )
    return kept / total
