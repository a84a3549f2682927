# SPDX-License-Identifier: Apache-2.0
"""Find, order and read picture files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2

from .compressed import DecodedImage, decode_file
from .decoding import ImageError
from .natural_order import natural_key

_NAMES_SHOWN: Final = 5
IMAGE_SUFFIXES: Final = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".webp", ".tif", ".tiff"),
        *(".pbm", ".pgm", ".ppm", ".pnm", ".jp2", ".gif", ".avif", ".heic", ".heif", ".jxl"),
    }
)
"""Suffixes of pictures, in lower case; support depends on the OpenCV version."""


def is_picture(path: Path) -> bool:
    """Return whether a file name is that of a picture, not hidden."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def picture_paths(folder: Path) -> list[Path]:
    """Return the pictures in ``folder`` in the natural order of their names."""
    pictures = (path for path in folder.iterdir() if is_picture(path) and path.is_file())
    return sorted(pictures, key=lambda path: natural_key(path.name))


def skipped_entries(folder: Path) -> list[str]:
    """Return a phrase for each kind of entry that :func:`picture_paths` leaves out."""
    hidden: list[str] = []
    folders: list[str] = []
    foreign: list[str] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            hidden.append(path.name)
        elif path.is_dir():
            folders.append(path.name)
        elif not is_picture(path):
            foreign.append(path.name)
    return [
        f"{len(names)} {kind} skipped ({', '.join(names[:_NAMES_SHOWN])}"
        f"{', ...' * (len(names) > _NAMES_SHOWN)})"
        for names, kind in (
            (hidden, "hidden"),
            (foreign, "not pictures"),
            (folders, f"folder{'s' * (len(folders) != 1)}"),
        )
        if names
    ]


def read_picture(path: Path) -> DecodedImage:
    """Return a picture as RGB, rotated according to its EXIF data.

    :raises ~fer_perception.images.decoding.ImageError: naming the file, when it cannot be read.
    """
    try:
        return decode_file(path.read_bytes())
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror or error}") from None
    except ImageError as error:
        if not cv2.haveImageReader(str(path)):
            raise ImageError(
                f"{path} is damaged, or of a format that OpenCV {cv2.__version__} does not read: "
                "convert it to JPEG or PNG"
            ) from None
        raise ImageError(f"{path}: {error}") from None
