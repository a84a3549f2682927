# SPDX-License-Identifier: Apache-2.0
"""Read pictures sorted into one folder per class, ``happiness/1.png``."""

from __future__ import annotations

import difflib
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_perception.emotions import EMOTIONS
from fer_perception.face import RgbImage
from fer_perception.images import picture_files
from fer_perception.images.natural_order import natural_key
from fer_perception.recognition.alignment import CROP_SIZE_PX

from .class_names import CLASS_NAMES, OTHER_CLASSES
from .fer2013 import Fer2013, Usage
from .votes import VOTE_COLUMNS

_LOG = logging.getLogger(__name__)

MAX_CROP_PX: Final = 128
"""A picture whose sides are at most this long shows a face and nothing else, as FER2013's do."""

PARTS: Final = {"train": Usage.TRAINING, "validation": Usage.PRIVATE_TEST}
"""Folder of each part that training needs, and the split of FER2013 whose place it takes."""

_RATERS: Final = 10


def class_files(folder: Path) -> list[tuple[Path, str]]:
    """Return (picture, class) of the class folders in natural order.

    Class folders are named as in :data:`.class_names.CLASS_NAMES`; capitals do not matter. There
    may be folders within. Hidden files are skipped; :func:`check_class_names` refuses other
    folders.
    """
    return [
        (path, label)
        for path, label in _files_in_classes(folder)
        if picture_files.is_picture(path)
    ]


def other_files(folder: Path) -> Counter[str]:
    """Count files in class folders that are not pictures, by suffix."""
    return Counter(
        path.suffix.lower() or path.name
        for path, _ in _files_in_classes(folder)
        if not picture_files.is_picture(path)
    )


def pictures_beside(folder: Path) -> list[Path]:
    """Return the pictures without a class, beside the class folders."""
    return sorted(
        (
            path
            for path in folder.iterdir()
            if path.is_file() and not path.name.startswith(".") and picture_files.is_picture(path)
        ),
        key=lambda path: natural_key(path.name),
    )


def _files_in_classes(folder: Path) -> Iterator[tuple[Path, str]]:
    for child in sorted(folder.iterdir(), key=lambda path: natural_key(path.name)):
        label = CLASS_NAMES.get(child.name.lower())
        if label is None or not child.is_dir():
            continue
        inside = [path.relative_to(child) for path in child.rglob("*") if path.is_file()]
        visible = (p for p in inside if not any(part.startswith(".") for part in p.parts))
        for path in sorted(visible, key=lambda path: [natural_key(part) for part in path.parts]):
            yield child / path, label


def read_picture(path: Path) -> RgbImage:
    """Return a picture in RGB.

    :raises ValueError: naming the file, when it cannot be read.
    """
    return picture_files.read_picture(path).pixels


def shows_only_a_face(pixels: RgbImage) -> bool:
    """Return whether a picture is small enough to be only a face."""
    return max(pixels.shape[:2]) <= MAX_CROP_PX


def as_crop(pixels: RgbImage) -> NDArray[np.uint8]:
    """Return a face as network input: grey, 48 x 48, uint8."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if grey.shape != (CROP_SIZE_PX, CROP_SIZE_PX):
        grey = cv2.resize(grey, (CROP_SIZE_PX, CROP_SIZE_PX), interpolation=cv2.INTER_AREA)
    return grey


def check_class_names(folder: Path) -> None:
    """Refuse unknown class folders, and class folders inside another class.

    :raises ValueError: naming the folder, and the class that it may mean.
    """
    for child in sorted(folder.iterdir()):
        name = child.name.lower()
        if not child.is_dir() or name.startswith("."):
            continue
        if name in CLASS_NAMES:
            _check_names_within(child)
            continue
        if name in OTHER_CLASSES:
            raise ValueError(
                f"{child}: the networks have no class {name!r}; move the folder away to go on "
                f"with {', '.join(EMOTIONS)}"
            )
        near = difflib.get_close_matches(name, CLASS_NAMES, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"{child} is not a class: {hint}expected {', '.join(EMOTIONS)}")


def _check_names_within(folder: Path) -> None:
    label = CLASS_NAMES[folder.name.lower()]
    for inner in sorted(folder.rglob("*")):
        name = inner.name.lower()
        inside = inner.relative_to(folder).parts
        if not inner.is_dir() or any(part.startswith(".") for part in inside):
            continue
        if name in OTHER_CLASSES or CLASS_NAMES.get(name, label) != label:
            raise ValueError(
                f"{inner} names another class than the folder {folder} around it: move it beside "
                f"{folder.name}, or rename it"
            )


def read_class_folders(folder: Path) -> Fer2013:
    """Read ``train/CLASS/*.png`` and ``validation/CLASS/*.png`` for the trainer.

    Each picture counts as one that ten raters agree on. The validation part takes the place of
    PrivateTest: it chooses the epoch and sets the temperature. A picture that cannot be decoded
    is left out with a warning that names it.

    :raises FileNotFoundError: naming the part or the classes that are missing.
    :raises ValueError: naming the folder with an unknown class, or a picture that is too large.
    """
    images, labels, usage = [], [], []
    for part, split in PARTS.items():
        for path, label in _files_of(folder / part):
            try:
                pixels = read_picture(path)
            except ValueError as error:
                _LOG.warning("left out: %s", error)
                continue
            if not shows_only_a_face(pixels):
                height, width = pixels.shape[:2]
                raise ValueError(
                    f"{path} has {width} x {height} pixels: expected a face cut out, of at most "
                    f"{MAX_CROP_PX}; crop_faces does so"
                )
            images.append(as_crop(pixels))
            labels.append(EMOTIONS.index(label))
            usage.append(split)
        _require_classes(
            folder / part, {EMOTIONS[n] for n, u in zip(labels, usage, strict=True) if u == split}
        )
    votes = np.zeros((len(labels), len(VOTE_COLUMNS)), np.uint8)
    votes[np.arange(len(labels)), labels] = _RATERS
    return Fer2013(np.stack(images), votes, np.array(usage), np.zeros(len(labels), bool))


def _files_of(part: Path) -> list[tuple[Path, str]]:
    if not part.is_dir():
        raise FileNotFoundError(
            f"{part} is missing: training needs the parts {' and '.join(PARTS)}, each with one "
            "folder per class; crop_faces makes both"
        )
    check_class_names(part)
    for path in pictures_beside(part):
        _LOG.warning("left out: %s lies beside the class folders", path)
    files = class_files(part)
    if not files:
        raise FileNotFoundError(
            f"{part} holds no picture: expected {part}/{EMOTIONS[0]}/NAME.png and so on"
        )
    return files


def _require_classes(part: Path, found: set[str]) -> None:
    if not found:
        raise ValueError(f"{part}: none of its pictures can be read")
    missing = [emotion for emotion in EMOTIONS if emotion not in found]
    if missing and PARTS[part.name] is Usage.TRAINING:
        raise FileNotFoundError(
            f"{part} holds no picture of {', '.join(missing)}: a network unlearns what it is not "
            "shown, so each of the seven classes needs some"
        )
