# SPDX-License-Identifier: Apache-2.0
"""Crop aligned faces from photographs in one folder per class.

PHOTOS contains happiness/1.jpg and so on. OUT receives train/happiness/1.png and
validation/happiness/2.png, grey and 48 x 48 pixels: the largest face of each photograph with the
node's alignment. A picture of at most 128 pixels counts as a face crop.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import math
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_evaluation.datasets.class_folders import (
    PARTS,
    as_crop,
    check_class_names,
    class_files,
    pictures_beside,
    read_picture,
    shows_only_a_face,
)
from fer_perception.detection import FaceDetector, create_detector
from fer_perception.detection.mtcnn import MtcnnConfig
from fer_perception.emotions import EMOTIONS
from fer_perception.face import RgbImage
from fer_perception.recognition.alignment import align_faces

_LOG = logging.getLogger(__name__)


def part_of_each(files: list[tuple[Path, str]], validation_share: float) -> dict[Path, str]:
    """Return the part of each picture.

    The choice is pseudo-random and reproducible. Both parts receive some of each class with at
    least two pictures.

    :param files: (picture, class).
    :param validation_share: share of each class that is kept for validation, between 0 and 1.
    """
    parts: dict[Path, str] = {}
    training, validation = PARTS
    for emotion in EMOTIONS:
        paths = [path for path, label in files if label == emotion]
        paths.sort(key=lambda path: hashlib.sha256(path.name.encode()).digest())
        kept = min(math.ceil(validation_share * len(paths)), len(paths) - 1)
        parts |= {path: validation if i < kept else training for i, path in enumerate(paths)}
    return parts


def crop_faces(
    photos: Path, out: Path, detector: FaceDetector, validation_share: float
) -> Counter[tuple[str, str]]:
    """Write the largest face of each photograph; log skipped ones.

    :param photos: one folder per class; or parts, which are kept.
    :param out: must not contain a part.
    :returns: number of faces written, by (part, class).
    :raises FileNotFoundError: when ``photos`` contains no photographs.
    :raises FileExistsError: when ``out`` already contains faces.
    :raises ValueError: when a folder is not a class.
    """
    if taken := [part for part in PARTS if (out / part).exists()]:
        raise FileExistsError(f"{out / taken[0]} already exists: name another folder")
    files = _photographs(photos)
    crops: dict[Path, NDArray[np.uint8]] = {}
    for path, _ in tqdm(files, unit="photo", mininterval=0.5):
        try:
            crop = _largest_face(read_picture(path), detector)
        except ValueError as error:
            _LOG.warning("left out: %s", error)
            continue
        if crop is None:
            _LOG.warning("left out: no face was found in %s", path)
        else:
            crops[path] = crop
    if not crops:
        raise ValueError(f"none of the {len(files)} photographs in {photos} shows a face")
    if left_out := len(files) - len(crops):
        _LOG.warning("%d of %d photographs are left out", left_out, len(files))
    files = [(path, label) for path, label in files if path in crops]
    sorted_by_hand = _has_parts(photos)
    parts = {} if sorted_by_hand else part_of_each(files, validation_share)
    written: Counter[tuple[str, str]] = Counter()
    for path, label in files:
        inside = path.relative_to(photos).parts
        part = inside[0] if sorted_by_hand else parts[path]
        folder = out / part / label
        folder.mkdir(parents=True, exist_ok=True)
        # Not the stem alone: 1.jpg and 1.png, or two sub-folders, may both exist.
        name = "_".join(inside[2 if sorted_by_hand else 1 :])
        target = folder / f"{name}.png"
        if not cv2.imwrite(str(target), crops[path]):
            raise OSError(f"{target} cannot be written")
        written[part, label] += 1
    return written


def _has_parts(photos: Path) -> bool:
    return any((photos / part).is_dir() for part in PARTS)


def _photographs(photos: Path) -> list[tuple[Path, str]]:
    """Return (picture, class) of all photographs."""
    folders = [photos / part for part in PARTS] if _has_parts(photos) else [photos]
    files = []
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"no such folder: {folder}")
        check_class_names(folder)
        for path in pictures_beside(folder):
            _LOG.warning("left out: %s lies beside the class folders", path)
        files += class_files(folder)
    if not files:
        raise FileNotFoundError(
            f"{photos} holds no pictures in folders named {', '.join(EMOTIONS)}"
        )
    return files


def _largest_face(image: RgbImage, detector: FaceDetector) -> NDArray[np.uint8] | None:
    if shows_only_a_face(image):
        return as_crop(image)
    faces = detector.detect(image)
    if not faces:
        return None
    return align_faces(image, [max(faces, key=lambda face: face.box.area)])[0]


def main(args: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="crop_faces", description=__doc__)
    parser.add_argument("photos", type=Path, help="photographs in one folder per class")
    parser.add_argument("out", type=Path, help="folder for the faces")
    parser.add_argument(
        "--validation-share",
        type=float,
        default=0.2,
        help="share kept for validation, unless PHOTOS has the parts train and validation",
    )
    parser.add_argument("--detector", default="mtcnn", help="as emotion_node's parameter")
    parser.add_argument("--min-face-px", type=float, default=MtcnnConfig.min_face_px)
    options = parser.parse_args(args)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if not 0.0 < options.validation_share < 1.0:
        parser.error(f"--validation-share is {options.validation_share}: expected 0 to 1")
    try:
        detector = create_detector(options.detector, MtcnnConfig(options.min_face_px))
        written = crop_faces(options.photos, options.out, detector, options.validation_share)
    except (OSError, ValueError, ModuleNotFoundError, RuntimeError) as error:
        parser.exit(2, f"crop_faces: {error}\n")
    for part in PARTS:
        counts = ", ".join(f"{emotion} {written[part, emotion]}" for emotion in EMOTIONS)
        print(f"{options.out / part}: {counts}")


if __name__ == "__main__":
    main()
