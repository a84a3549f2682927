# SPDX-License-Identifier: Apache-2.0
"""Read RAN's lists of turned and covered faces in PrivateTest.

Wang et al. 2020, "Region Attention Networks for Pose and Occlusion Robust Facial Expression
Recognition". The table has the columns ``row`` (of ``fer2013.csv``, from 0), ``label`` (of the
classes and contempt) and one per set, 1 for its pictures.
"""

from __future__ import annotations

import csv
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .evaluation_sets import LabelledSet
from .fer2013 import Fer2013, Usage
from .votes import VOTE_COLUMNS

_LOG = logging.getLogger(__name__)

CHALLENGE_FILE: Final = "challenge_sets.csv"
"""The table's name, beside FER2013's own files."""

CHALLENGES: Final = ("pose30", "pose45", "occlusion")
"""Faces turned by at least 30 and 45 degrees, and covered ones."""

_LABELS: Final = VOTE_COLUMNS[:8]  # contempt is the last


@dataclass(frozen=True, eq=False)
class ChallengeSet:
    """Listed pictures of PrivateTest with their labels.

    :ivar rows: of the data.
    :ivar labels: index into FER+'s columns.
    """

    name: str
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    usage: Usage = Usage.PRIVATE_TEST

    def rows_and_labels(self, data: Fer2013) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of ``data`` in the set, and their labels."""
        return self.rows, self.labels


def read_challenge_sets(folder: Path, data: Fer2013) -> tuple[LabelledSet, ...]:
    """Return the challenge sets of ``data``; without the table none, with a warning.

    :raises ValueError: naming the line that is wrong or names no picture of PrivateTest.
    """
    path = folder / CHALLENGE_FILE
    if not path.is_file():
        _LOG.warning(
            "%s is missing: %s are not measured; github.com/kaiwang960112/"
            "Challenge-condition-FER-dataset lists their pictures",
            path,
            ", ".join(CHALLENGES),
        )
        return ()
    held_out = set(data.rows(Usage.PRIVATE_TEST).tolist())
    rows: list[int] = []
    labels: list[int] = []
    members: list[list[bool]] = []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = {"row", "label", *CHALLENGES} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path} has no column {', '.join(sorted(missing))}")
        for line in reader:
            try:
                row, label = int(line["row"]), _LABELS.index(line["label"])
                member = [bool(("0", "1").index(line[name])) for name in CHALLENGES]
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"{path}, line {reader.line_num}: {', '.join(map(str, line.values()))}: "
                    f"expected a row number, one of {', '.join(_LABELS)}, and 0 or 1 per set"
                ) from error
            if row not in held_out:
                raise ValueError(
                    f"{path}, line {reader.line_num}: row {row} is not in PrivateTest; the table "
                    "numbers the rows of fer2013.csv, and FER+'s folders leave some out"
                )
            rows.append(row)
            labels.append(label)
            members.append(member)
    chosen = np.array(members, bool).reshape(-1, len(CHALLENGES))
    return tuple(
        ChallengeSet(name, np.array(rows, np.int64)[inside], np.array(labels, np.int64)[inside])
        for name, inside in zip(CHALLENGES, chosen.T, strict=True)
    )
