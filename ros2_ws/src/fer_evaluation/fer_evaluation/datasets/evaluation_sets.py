# SPDX-License-Identifier: Apache-2.0
"""The evaluation sets: splits of FER2013 with a rule for the labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from .fer2013 import Fer2013, Usage
from .votes import EXCLUDED, VOTE_COLUMNS, plurality_labels, without_outliers

_EIGHT: Final = 8  # the seven classes and contempt
_RATERS: Final = 10

LabelRule = Callable[[NDArray[np.integer]], NDArray[np.int64]]


def majority_labels(votes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return labels by FER+'s majority rule over eight classes, or :data:`EXCLUDED`.

    Single votes are dropped; the winner needs more than half of the rest.
    """
    kept = without_outliers(votes)
    winner = kept.argmax(axis=1)
    accepted = (winner < _EIGHT) & (kept.max(axis=1) > 0.5 * kept.sum(axis=1))
    return np.where(accepted, winner, EXCLUDED)


def loose_labels(votes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the class with most votes of eight, or :data:`EXCLUDED`.

    Only pictures that all raters call no face are excluded.
    """
    is_face = votes[:, VOTE_COLUMNS.index("NF")] < _RATERS
    return np.where(is_face, votes[:, :_EIGHT].argmax(axis=1), EXCLUDED)


class LabelledSet(Protocol):
    """Pictures of one split with their labels."""

    @property
    def name(self) -> str:
        """Return its name in cards."""

    @property
    def usage(self) -> Usage:
        """Return the split of its pictures."""

    def rows_and_labels(self, data: Fer2013) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of ``data`` in the set, and FER+'s labels."""


@dataclass(frozen=True)
class EvaluationSet:
    """A split of FER2013 and the rule for its labels.

    :ivar usage: the split. The report tests on PublicTest and validates on PrivateTest.
    :ivar rule: votes -> label, an index into FER+'s columns.
    """

    name: str
    usage: Usage
    rule: LabelRule

    def rows_and_labels(self, data: Fer2013) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of ``data`` in the set, and their labels."""
        rows = data.rows(self.usage)
        labels = self.rule(data.votes[rows])
        return rows[labels != EXCLUDED], labels[labels != EXCLUDED]


REPORT: Final = EvaluationSet("report", Usage.PUBLIC_TEST, plurality_labels)
PRIVATE7: Final = EvaluationSet("private7", Usage.PRIVATE_TEST, plurality_labels)
EVALUATION_SETS: Final = (
    REPORT,
    PRIVATE7,
    EvaluationSet("ferplus8", Usage.PRIVATE_TEST, majority_labels),
    EvaluationSet("ferplus8_loose", Usage.PRIVATE_TEST, loose_labels),
)
