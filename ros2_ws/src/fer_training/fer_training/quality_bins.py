# SPDX-License-Identifier: Apache-2.0
"""Print accuracy by quality on damaged pictures of PrivateTest.

``python -m fer_training.quality_bins models/vgg_stn --data DATA``
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_evaluation.datasets.evaluation_sets import PRIVATE7
from fer_evaluation.datasets.fer2013_reader import read_fer2013
from fer_perception.face import BoundingBox, Face, RgbImage
from fer_perception.face_emotion import FaceQuality
from fer_perception.inference.model_files import ModelError
from fer_perception.recognition.alignment import CROP_SIZE_PX, TEMPLATE, align_faces
from fer_perception.recognition.model_store import load_model
from fer_perception.recognition.quality import assess, trusted

from .figures.split_scores import score_images

_Picture: TypeAlias = NDArray[np.uint8]
_Landmarks: TypeAlias = NDArray[np.float64]
_Damage: TypeAlias = Callable[[_Picture, float, np.random.Generator], tuple[_Picture, _Landmarks]]

_BINS: Final = (0.0, 0.5, 0.7, 0.85, 0.95, 1.0)
_CENTER: Final = (CROP_SIZE_PX - 1) / 2.0
# A head's radius, and how far its nose stands out, in pixels of FER2013.
_HEAD_PX: Final = 27.0
_NOSE_PX: Final = 9.0
_SENSOR_NOISE: Final = 2.0  # grey levels


def _shrunk(
    picture: _Picture, side: float, rng: np.random.Generator
) -> tuple[_Picture, _Landmarks]:
    small = cv2.resize(picture, (int(side), int(side)), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8), (TEMPLATE + 0.5) * (side / CROP_SIZE_PX) - 0.5


def _cut(picture: _Picture, share: float, rng: np.random.Generator) -> tuple[_Picture, _Landmarks]:
    depth, edge = round(share * CROP_SIZE_PX), int(rng.integers(4))
    part = np.rot90(np.rot90(picture, edge)[depth:], -edge)
    shift = [depth if edge == 1 else 0, depth if edge == 0 else 0]
    return np.ascontiguousarray(part), TEMPLATE - shift


def _turned(
    picture: _Picture, yaw_deg: float, rng: np.random.Generator
) -> tuple[_Picture, _Landmarks]:
    """Turn a picture on a cylinder; its far side is grey."""
    yaw = math.radians(yaw_deg) * rng.choice([-1.0, 1.0])
    column = np.arange(CROP_SIZE_PX) - _CENTER
    angle = np.arcsin(np.clip(column / _HEAD_PX, -1.0, 1.0)) + yaw
    source = np.where(np.abs(angle) < math.pi / 2, _HEAD_PX * np.sin(angle) + _CENTER, -2.0)
    columns = np.tile(source.astype(np.float32), (CROP_SIZE_PX, 1))
    rows = np.tile(np.arange(CROP_SIZE_PX, dtype=np.float32)[:, None], (1, CROP_SIZE_PX))
    grey = float(picture.mean())
    turned = cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderValue=grey)
    radius = np.full(len(TEMPLATE), _HEAD_PX)
    radius[2] += _NOSE_PX
    landmarks = TEMPLATE.copy()
    angles = np.arcsin((landmarks[:, 0] - _CENTER) / radius) - yaw
    landmarks[:, 0] = radius * np.sin(angles) + _CENTER
    return turned.astype(np.uint8), landmarks


def _blurred(
    picture: _Picture, sigma_px: float, rng: np.random.Generator
) -> tuple[_Picture, _Landmarks]:
    return cv2.GaussianBlur(picture, (0, 0), sigma_px).astype(np.uint8), TEMPLATE


def _darkened(
    picture: _Picture, share: float, rng: np.random.Generator
) -> tuple[_Picture, _Landmarks]:
    dark = picture * share + rng.normal(0.0, _SENSOR_NOISE, picture.shape)
    return np.clip(np.rint(dark), 0, 255).astype(np.uint8), TEMPLATE


_DAMAGES: Final[dict[str, tuple[_Damage, tuple[float, ...]]]] = {
    "side, px": (_shrunk, (48.0, 24.0, 16.0, 12.0, 9.0, 7.0)),
    "cut share": (_cut, (0.2, 0.4, 0.55)),
    "yaw, deg": (_turned, (30.0, 50.0, 65.0)),
    "blur, px": (_blurred, (1.0, 1.5, 2.2, 3.0)),
    "light share": (_darkened, (0.5, 0.2, 0.12, 0.06)),
}


def _judged(picture: _Picture, landmarks: _Landmarks) -> tuple[_Picture, FaceQuality]:
    height, width = picture.shape
    box = BoundingBox(0.0, 0.0, float(width), float(height))
    face = Face(box, 1.0, landmarks.astype(np.float32))
    image: RgbImage = np.ascontiguousarray(np.repeat(picture[:, :, None], 3, axis=2))
    [crop] = align_faces(image, [face])
    return crop, assess(face, crop, (width, height))


def _row(name: str, correct: NDArray[np.bool_], *columns: NDArray[np.floating]) -> str:
    means = "".join(f"{100 * column.mean():>12.1f}" for column in columns)
    return f"{name:<20}{len(correct):>7}{100 * correct.mean():>12.1f}{means}"


def main(args: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="quality_bins", description="Print accuracy and confidence by quality."
    )
    parser.add_argument("model", type=Path, help="folder of the model")
    parser.add_argument("--data", type=Path, required=True, help="folder of FER2013 with FER+")
    parser.add_argument(
        "--pictures", type=int, default=400, help="of PrivateTest, each damaged in all ways"
    )
    options = parser.parse_args(args)
    try:
        data = read_fer2013(options.data)
        model = load_model(options.model)
    except (FileNotFoundError, ModelError, ValueError) as error:
        parser.exit(2, f"quality_bins: {error}\n")
    rows, labels = PRIVATE7.rows_and_labels(data)
    chosen = np.linspace(0, len(rows) - 1, options.pictures).astype(int)
    rows, labels = rows[chosen], labels[chosen]
    rng = np.random.default_rng(0)
    correct, sure, adjusted, values = [], [], [], []
    print(f"{'':<20}{'faces':>7}{'accuracy':>12}{'quality':>12}{'confidence':>12}{'trusted':>12}")
    for name, (damage, levels) in _DAMAGES.items():
        for level in levels:
            crops, judged = zip(
                *(_judged(*damage(data.images[row], level, rng)) for row in rows), strict=True
            )
            scores = score_images(model, np.stack(crops))
            correct.append(scores.argmax(axis=1) == labels)
            sure.append(scores.max(axis=1))
            trusts = [trusted(s, q).max() for s, q in zip(scores, judged, strict=True)]
            adjusted.append(np.array(trusts))
            values.append(np.array([quality.value for quality in judged]))
            columns = (values[-1], sure[-1], adjusted[-1])
            print(_row(f"{name} {level:g}", correct[-1], *columns), flush=True)
    print("quality")
    value = np.concatenate(values)
    bins = np.digitize(value, _BINS[1:-1])
    joined = [np.concatenate(column) for column in (correct, values, sure, adjusted)]
    for index, (low, high) in enumerate(zip(_BINS[:-1], _BINS[1:], strict=True)):
        inside = bins == index
        if inside.any():
            print(_row(f"{low:g} to {high:g}", *(column[inside] for column in joined)))


if __name__ == "__main__":
    main()
