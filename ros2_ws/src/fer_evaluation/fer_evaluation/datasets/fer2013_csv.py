# SPDX-License-Identifier: Apache-2.0
"""Read Kaggle's FER2013 table with the votes of fer2013new.csv."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .fer2013 import FACE_PX, Fer2013, Usage
from .votes import VOTE_COLUMNS

PIXELS_FILES: Final = ("fer2013.csv", "icml_face_data.csv")
"""The table's two names on Kaggle; the second has spaces before its columns' names."""

VOTES_FILE: Final = "fer2013new.csv"

_USAGES: Final = {
    "Training": Usage.TRAINING,
    "PublicTest": Usage.PUBLIC_TEST,
    "PrivateTest": Usage.PRIVATE_TEST,
}
# Row of FER2013 whose votes belong to another picture.
_WRONG_VOTES_ROW: Final = 5274


def read_csv(folder: Path) -> Fer2013:
    """Read both tables, which correspond line by line.

    FER+'s picture names differ from the row numbers from row 59 on and are not used.

    :raises FileNotFoundError: naming the file that is missing and where it is published.
    :raises ValueError: naming the file and the line that is wrong, or the lengths that differ.
    """
    pixels_path, votes_path = _pixels_path(folder), folder / VOTES_FILE
    if not votes_path.is_file():
        raise FileNotFoundError(
            f"{votes_path} is missing: the votes are published at github.com/microsoft/FERPlus"
        )
    images, usage = _read_pixels(pixels_path)
    votes = _read_votes(votes_path)
    if len(images) != len(votes):
        raise ValueError(
            f"{pixels_path} has {len(images)} rows, {votes_path} {len(votes)}: they must belong "
            "to the same release of FER2013"
        )
    return Fer2013(images, votes, usage, np.arange(len(images)) == _WRONG_VOTES_ROW)


def _pixels_path(folder: Path) -> Path:
    paths = [folder / name for name in PIXELS_FILES]
    return next((path for path in paths if path.is_file()), paths[0])


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
        missing = [name for name in columns if name not in reader.fieldnames]
        if missing:
            raise ValueError(f"{path} has no column {', '.join(missing)}")
        for row in reader:
            yield reader.line_num, row


def _read_pixels(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    images, usage = [], []
    for line, row in _rows(path, ("pixels", "Usage")):
        values, split = row["pixels"] or "", (row["Usage"] or "").strip()
        try:
            # Not by NumPy, which before version 2 reads 256 as 0.
            pixels = np.frombuffer(bytes(map(int, values.split())), np.uint8)
        except (OverflowError, ValueError) as error:
            raise ValueError(f"{path}, line {line}: {error}") from error
        if pixels.size != FACE_PX * FACE_PX or split not in _USAGES:
            raise ValueError(
                f"{path}, line {line}: {pixels.size} pixels for {split!r}, expected "
                f"{FACE_PX * FACE_PX} for one of {', '.join(_USAGES)}"
            )
        images.append(pixels.reshape(FACE_PX, FACE_PX))
        usage.append(_USAGES[split])
    if not images:
        raise ValueError(f"{path} holds no picture")
    return np.stack(images), np.array(usage)


def _read_votes(path: Path) -> NDArray[np.int64]:
    votes = []
    for line, row in _rows(path, VOTE_COLUMNS):
        try:
            votes.append([int(row[name]) for name in VOTE_COLUMNS])
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}, line {line}: {error}") from error
    return np.array(votes)
