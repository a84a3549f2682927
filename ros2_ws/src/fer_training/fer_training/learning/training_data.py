# SPDX-License-Identifier: Apache-2.0
"""Read training data: FER2013 with FER+, or class folders of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fer_evaluation.datasets.class_folders import PARTS, class_files, read_class_folders
from fer_evaluation.datasets.fer2013 import Fer2013
from fer_evaluation.datasets.fer2013_reader import read_fer2013

DATA_HELP: Final = "folder of FER2013 with FER+, or of faces: train/CLASS and validation/CLASS"
"""Help text of the command lines' option for the data."""


def read_training_data(folder: Path) -> Fer2013:
    """Read the training data in ``folder``.

    :raises FileNotFoundError: naming the missing file or folder.
    :raises ValueError: naming the file or folder that cannot be used.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no such folder: {folder}")
    # Class folders without parts cause the error that names the part.
    if any((folder / part).is_dir() for part in PARTS) or class_files(folder):
        return read_class_folders(folder)
    return read_fer2013(folder)
