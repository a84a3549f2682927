# SPDX-License-Identifier: Apache-2.0
"""Read FER2013 with the FER+ votes in any published form."""

from __future__ import annotations

from pathlib import Path

from .fer2013 import Fer2013
from .fer2013_csv import PIXELS_FILES, read_csv
from .fer2013_folders import FOLDERS, read_folders
from .fer2013_sheets import LABELS_FILE, read_sheets


def read_fer2013(folder: Path) -> Fer2013:
    """Read FER2013 from ``folder`` in any published form.

    The forms are, in this order: lossless sheets (``labels.npz``, ``sheet_00.png`` ...); Kaggle's
    ``fer2013.csv`` or ``icml_face_data.csv`` with the votes of ``fer2013new.csv``; the folders of
    FER+ (``FER2013Train/fer0000000.png`` ...).

    :raises FileNotFoundError: naming the file that is missing and where it is published.
    :raises ValueError: naming the file and line that cannot be read.
    """
    if (folder / LABELS_FILE).is_file():
        return read_sheets(folder)
    if any((folder / name).is_file() for name in PIXELS_FILES):
        return read_csv(folder)
    if any((folder / name).is_dir() for name in FOLDERS):
        return read_folders(folder)
    raise FileNotFoundError(
        f"{folder} does not hold FER2013: expected {' or '.join(PIXELS_FILES)} (Kaggle, "
        "'Challenges in Representation Learning: Facial Expression Recognition Challenge') beside "
        f"fer2013new.csv (github.com/microsoft/FERPlus), or the folders {', '.join(FOLDERS)}, or "
        f"{LABELS_FILE} with sheet_00.png ..."
    )
