# SPDX-License-Identifier: Apache-2.0
"""Read FER2013 in the layout of FER+'s tool, one folder per split."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .fer2013 import FACE_PX, Fer2013, Usage
from .votes import VOTE_COLUMNS

FOLDERS: Final = {
    "FER2013Train": Usage.TRAINING,
    "FER2013Valid": Usage.PUBLIC_TEST,
    "FER2013Test": Usage.PRIVATE_TEST,
}
_LABELS_FILE: Final = "label.csv"
# Picture of the training split whose votes belong to another one.
_WRONG_VOTES_NAME: Final = "fer0006953.png"
# The name, the box of the face in the picture, the votes.
_FIELDS: Final = 2 + len(VOTE_COLUMNS)


def read_folders(folder: Path) -> Fer2013:
    """Read the three folders, each with its ``label.csv``.

    FER+'s tables exclude the pictures that all raters call no face; a line is
    ``fer0000000.png,"(0, 0, 48, 48)",4,0,...``. Some of their votes differ from
    ``fer2013new.csv``.

    :raises FileNotFoundError: naming the folder, table or picture that is missing.
    :raises ValueError: naming the file and line that is wrong.
    """
    images, votes, usage, wrong = [], [], [], []
    for name, split in FOLDERS.items():
        table = folder / name / _LABELS_FILE
        if not table.is_file():
            raise FileNotFoundError(
                f"{table} is missing: github.com/microsoft/FERPlus publishes it under data/{name}"
            )
        with table.open(newline="", encoding="utf-8") as file:
            for line, row in enumerate(csv.reader(file), start=1):
                try:
                    counts = [int(value) for value in row[2:]]
                except ValueError as error:
                    raise ValueError(f"{table}, line {line}: {error}") from error
                if len(row) != _FIELDS:
                    raise ValueError(
                        f"{table}, line {line}: {len(row)} fields, expected {_FIELDS}"
                    )
                images.append(_read_picture(folder / name / row[0]))
                votes.append(counts)
                usage.append(split)
                wrong.append(split is Usage.TRAINING and row[0] == _WRONG_VOTES_NAME)
    return Fer2013(np.stack(images), np.array(votes), np.array(usage), np.array(wrong))


def _read_picture(path: Path) -> NDArray[np.uint8]:
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: FER+'s generate_training_data.py makes the pictures from "
            "Kaggle's fer2013.csv"
        )
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None or picture.shape != (FACE_PX, FACE_PX):
        raise ValueError(f"{path} is not a picture of {FACE_PX} x {FACE_PX} pixels")
    return picture.astype(np.uint8, copy=False)
