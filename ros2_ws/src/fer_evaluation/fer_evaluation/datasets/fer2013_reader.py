# SPDX-License-Identifier: Apache-2.0
"""Reads FER2013 with the FER+ votes from whichever of its published forms a folder holds."""

from __future__ import annotations

from pathlib import Path

from .fer2013 import Fer2013
from .fer2013_csv import PIXELS_FILE, read_csv
from .fer2013_folders import FOLDERS, read_folders
from .fer2013_sheets import LABELS_FILE, read_sheets


def read_fer2013(folder: Path) -> Fer2013:
    """Read the form that ``folder`` holds.

    Known are, in this order: the lossless sheets (``labels.npz``, ``sheet_00.png`` ...); Kaggle's
    ``fer2013.csv`` with the votes of ``fer2013new.csv``; the folders of FER+
    (``FER2013Train/fer0000000.png`` ...).

    :raises FileNotFoundError: naming the file that is missing and where it is published.
    :raises ValueError: naming the file and line that cannot be read.
    """
    if (folder / LABELS_FILE).is_file():
        return read_sheets(folder)
    if (folder / PIXELS_FILE).is_file():
        return read_csv(folder)
    if any((folder / name).is_dir() for name in FOLDERS):
        return read_folders(folder)
    raise FileNotFoundError(
        f"{folder} holds FER2013 in none of its forms: expected {PIXELS_FILE} (Kaggle, "
        "'Challenges in Representation Learning: Facial Expression Recognition Challenge') beside "
        f"fer2013new.csv (github.com/microsoft/FERPlus), or the folders {', '.join(FOLDERS)}, or "
        f"{LABELS_FILE} with sheet_00.png ..."
    )
