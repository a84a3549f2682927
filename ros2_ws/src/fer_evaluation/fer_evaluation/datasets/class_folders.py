# SPDX-License-Identifier: Apache-2.0
"""Reads pictures that are sorted into one folder a class, ``happiness/1.png``."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_perception.emotions import EMOTIONS
from fer_perception.face import RgbImage
from fer_perception.images.picture_files import IMAGE_SUFFIXES
from fer_perception.recognition.alignment import CROP_SIZE_PX

from .fer2013 import Fer2013, Usage
from .votes import VOTE_COLUMNS

MAX_CROP_PX: Final = 128
"""A picture whose sides are at most this long shows a face and nothing else, as FER2013's do."""

PARTS: Final = {"train": Usage.TRAINING, "validation": Usage.PRIVATE_TEST}
"""Folder of each part that training needs, and the split of FER2013 whose place it takes."""

_RATERS: Final = 10


def class_files(folder: Path) -> list[tuple[Path, str]]:
    """Return (picture, class) of all pictures in the folders named as our classes are.

    Capitals do not matter; other folders are passed over. There may be folders within.
    """
    return [
        (path, child.name.lower())
        for child in sorted(folder.iterdir())
        if child.is_dir() and child.name.lower() in EMOTIONS
        for path in sorted(child.rglob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES
    ]


def read_picture(path: Path) -> RgbImage:
    """Return a picture in RGB.

    :raises ValueError: when it cannot be read.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path} is no picture that OpenCV can read")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def shows_only_a_face(pixels: RgbImage) -> bool:
    """Return whether a picture is so small that it is taken for a face and nothing else."""
    return max(pixels.shape[:2]) <= MAX_CROP_PX


def as_crop(pixels: RgbImage) -> NDArray[np.uint8]:
    """Return a picture that is a face as the networks take it, grey, 48 x 48."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if grey.shape != (CROP_SIZE_PX, CROP_SIZE_PX):
        grey = cv2.resize(grey, (CROP_SIZE_PX, CROP_SIZE_PX), interpolation=cv2.INTER_AREA)
    return grey


def check_class_names(folder: Path) -> None:
    """Refuse folders that are none of our classes, which else would be left out silently.

    :raises ValueError: naming the folder and the class that may be meant.
    """
    for child in sorted(folder.iterdir()):
        name = child.name.lower()
        if child.is_dir() and not child.name.startswith(".") and name not in EMOTIONS:
            near = difflib.get_close_matches(name, EMOTIONS, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(
                f"{child} is none of the classes: {hint}expected {', '.join(EMOTIONS)}"
            )


def read_class_folders(folder: Path) -> Fer2013:
    """Read ``train/CLASS/*.png`` and ``validation/CLASS/*.png`` for the trainer.

    Each picture counts as one that ten raters agree on. The validation part takes the place of
    PrivateTest: it chooses the epoch and sets the temperature.

    :raises FileNotFoundError: naming the part or the classes that are missing.
    :raises ValueError: naming the folder that is no class, or the picture that cannot be used.
    """
    images, labels, usage = [], [], []
    for part, split in PARTS.items():
        for path, label in _files_of(folder / part):
            pixels = read_picture(path)
            if not shows_only_a_face(pixels):
                height, width = pixels.shape[:2]
                raise ValueError(
                    f"{path} has {width} x {height} pixels: expected a face cut out, of at most "
                    f"{MAX_CROP_PX}; crop_faces does so"
                )
            images.append(as_crop(pixels))
            labels.append(EMOTIONS.index(label))
            usage.append(split)
    votes = np.zeros((len(labels), len(VOTE_COLUMNS)), np.uint8)
    votes[np.arange(len(labels)), labels] = _RATERS
    return Fer2013(np.stack(images), votes, np.array(usage), np.zeros(len(labels), bool))


def _files_of(part: Path) -> list[tuple[Path, str]]:
    if not part.is_dir():
        raise FileNotFoundError(
            f"{part} is missing: training needs the parts {' and '.join(PARTS)}, each with one "
            "folder a class; crop_faces makes both"
        )
    check_class_names(part)
    files = class_files(part)
    if not files:
        raise FileNotFoundError(
            f"{part} holds no picture: expected {part}/{EMOTIONS[0]}/NAME.png and so on"
        )
    missing = sorted(set(EMOTIONS) - {label for _, label in files}, key=EMOTIONS.index)
    if missing and PARTS[part.name] is Usage.TRAINING:
        raise FileNotFoundError(
            f"{part} holds no picture of {', '.join(missing)}: a network unlearns what it is not "
            "shown, so each of the seven classes needs some"
        )
    return files
