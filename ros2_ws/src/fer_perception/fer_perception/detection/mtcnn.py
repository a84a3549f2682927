# SPDX-License-Identifier: Apache-2.0
"""Detect faces with MTCNN, a cascade of three networks.

Zhang et al. 2016, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ..face import BoundingBox, Face, RgbImage
from ..inference import native_library
from ..inference.onnx_session import EXECUTION_PROVIDERS
from .native_cascade import NativeCascade
from .onnx_cascade import PNET_CELL_PX, OnnxCascade

__all__ = ["BACKENDS", "Mtcnn", "MtcnnConfig"]

BACKENDS: Final = ("auto", "native", "onnxruntime")


class _Cascade(Protocol):
    """The three networks; rows are box, probability and five landmarks."""

    def detect(
        self,
        image: RgbImage,
        min_face_px: float,
        scale_factor: float,
        thresholds: tuple[float, float, float],
    ) -> NDArray[np.float32]: ...

    def refine(self, image: RgbImage, squares: NDArray[np.float32]) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class MtcnnConfig:
    """Settings of the cascade.

    :ivar min_face_px: side of the smallest face in pixels, at least 12; the cost of a frame falls
        with its square.
    :ivar scale_factor: between two levels of the pyramid, in (0, 1).
    :ivar thresholds: least probability after P-, R- and O-Net, each in [0, 1].
    :ivar border: black border put around the image before the search, as a share of its width and
        height; finds faces that the edge cuts, and costs (1 + 2 border)^2.
    :ivar backend: "native" for the library in C++, "onnxruntime", or "auto": ONNX Runtime for an
        execution provider other than the CPU, else the native library where it was built. Both
        find the same faces.
    :ivar threads: CPU threads of each network on ONNX Runtime; the native library uses one.
    :ivar execution_provider: of ONNX Runtime, one of
        :data:`~..inference.onnx_session.EXECUTION_PROVIDERS`.
    """

    min_face_px: float = 40.0
    scale_factor: float = 0.709
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
    border: float = 0.0
    backend: str = "auto"
    threads: int = 1
    execution_provider: str = "cpu"

    def __post_init__(self) -> None:
        if not self.min_face_px >= PNET_CELL_PX:
            raise ValueError(
                f"min_face_px is {self.min_face_px}: expected at least {PNET_CELL_PX}"
            )
        if not 0.0 < self.scale_factor < 1.0:
            raise ValueError(f"scale_factor is {self.scale_factor}: expected within (0, 1)")
        if len(self.thresholds) != 3 or not all(0.0 <= t <= 1.0 for t in self.thresholds):
            raise ValueError(f"thresholds are {self.thresholds}: expected three within [0, 1]")
        if not 0.0 <= self.border <= 1.0:
            raise ValueError(f"border is {self.border}: expected within [0, 1]")
        if self.backend not in BACKENDS:
            raise ValueError(f"backend is {self.backend!r}: expected {', '.join(BACKENDS)}")
        if self.execution_provider not in EXECUTION_PROVIDERS:
            raise ValueError(
                f"execution_provider is {self.execution_provider!r}: expected one of "
                f"{', '.join(EXECUTION_PROVIDERS)}"
            )
        if self.threads < 1:
            raise ValueError(f"threads is {self.threads}: expected at least 1")


class Mtcnn:
    """Detect faces and their five landmarks, from one thread at a time.

    :param config: None for the defaults.
    :ivar backend: "native" or "onnxruntime".
    :ivar execution_provider: the provider in use.
    :raises ~fer_perception.inference.model_files.ModelError: when the weights are missing or
        altered.
    :raises RuntimeError: when the native library is requested but not built.
    """

    def __init__(self, config: MtcnnConfig | None = None) -> None:
        self.config = config = config or MtcnnConfig()
        self.backend, self.execution_provider = "native", "cpu"
        self._cascade: _Cascade
        if config.backend == "native":
            self._cascade = NativeCascade()
            return
        can_be_native = config.backend == "auto" and native_library.is_built()
        if can_be_native and config.execution_provider == "cpu":
            self._cascade = NativeCascade()
            return
        cascade = OnnxCascade(config.threads, config.execution_provider)
        if can_be_native and cascade.execution_provider == "cpu":
            self._cascade = NativeCascade()  # the provider is missing here
            return
        self.backend, self.execution_provider = "onnxruntime", cascade.execution_provider
        self._cascade = cascade

    def detect(self, image: RgbImage) -> list[Face]:
        """Return the faces in ``image``, the most certain first."""
        height, width = image.shape[:2]
        margin_x, margin_y = round(width * self.config.border), round(height * self.config.border)
        if margin_x or margin_y:
            image = cv2.copyMakeBorder(
                image, margin_y, margin_y, margin_x, margin_x, cv2.BORDER_CONSTANT
            )
        rows = self._cascade.detect(
            _with_dense_rows(image),
            self.config.min_face_px,
            self.config.scale_factor,
            self.config.thresholds,
        )
        rows[:, 0:4:2] -= margin_x
        rows[:, 1:4:2] -= margin_y
        rows[:, 5::2] -= margin_x
        rows[:, 6::2] -= margin_y
        return [_face(row) for row in rows]

    def refine(self, image: RgbImage, boxes: Sequence[BoundingBox]) -> list[Face]:
        """Return the face in each of the expected ``boxes``.

        Runs O-Net alone, at a fraction of the cost of :meth:`detect`. A low confidence means that
        the box contains no face.

        :param boxes: finite, each roughly as :meth:`detect` frames a face.
        """
        if not boxes:
            return []
        squares = np.array([_square(box) for box in boxes], np.float32)
        return [_face(row) for row in self._cascade.refine(_with_dense_rows(image), squares)]


def _with_dense_rows(image: RgbImage) -> RgbImage:
    """Return ``image``, copied only if its rows are not contiguous."""
    return image if image.strides[1:] == (3, 1) else np.ascontiguousarray(image)


def _square(box: BoundingBox) -> tuple[float, float, float, float]:
    (x, y), half = box.center, max(box.width, box.height) / 2.0
    return x - half, y - half, x + half, y + half


def _face(row: NDArray[np.float32]) -> Face:
    left, top, right, bottom, score = row[:5].tolist()
    return Face(
        BoundingBox(left, top, right - left, bottom - top), score, row[5:].reshape(5, 2).copy()
    )
