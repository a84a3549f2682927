# SPDX-License-Identifier: Apache-2.0
"""MTCNN: three networks, each of which refines what the one before proposes.

Zhang et al. 2016, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ..face import BoundingBox, Face, RgbImage
from ..image_pyramid import ImagePyramid, pyramid_scales
from .mtcnn_graphs import build_graph
from .non_maximum_suppression import non_maximum_suppression

_PNET_CELL_PX: Final = 12
_PNET_STRIDE_PX: Final = 2
_RNET_INPUT_PX: Final = 24
_ONET_INPUT_PX: Final = 48

# Overlaps above which the lower of two boxes goes: within a scale, between scales, after R-Net
# and after O-Net (over the smaller box). Those of the reference implementation.
_NMS_WITHIN_SCALE: Final = 0.5
_NMS_BETWEEN_SCALES: Final = 0.7
_NMS_RNET: Final = 0.7
_NMS_ONET: Final = 0.7


@dataclass(frozen=True)
class MtcnnConfig:
    """What the cascade looks for.

    :ivar min_face_px: side of the smallest face in pixels, at least 12; the cost of a frame falls
        with its square.
    :ivar scale_factor: between two sizes of the image, in (0, 1).
    :ivar thresholds: least probability after P-, R- and O-Net, each in [0, 1].
    :ivar border: black border put around the image before the search, as a share of its width and
        height; finds faces that the edge cuts, and costs (1 + 2 border)^2.
    :ivar threads: CPU threads of each network.
    """

    min_face_px: float = 40.0
    scale_factor: float = 0.709
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
    border: float = 0.0
    threads: int = 1

    def __post_init__(self) -> None:
        if not self.min_face_px >= _PNET_CELL_PX:
            raise ValueError(
                f"min_face_px is {self.min_face_px}: expected at least {_PNET_CELL_PX}"
            )
        if not 0.0 < self.scale_factor < 1.0:
            raise ValueError(f"scale_factor is {self.scale_factor}: expected within (0, 1)")
        if len(self.thresholds) != 3 or not all(0.0 <= t <= 1.0 for t in self.thresholds):
            raise ValueError(f"thresholds are {self.thresholds}: expected three within [0, 1]")
        if not 0.0 <= self.border <= 1.0:
            raise ValueError(f"border is {self.border}: expected within [0, 1]")
        if self.threads < 1:
            raise ValueError(f"threads is {self.threads}: expected at least 1")


class Mtcnn:
    """Finds faces and their five landmarks.

    :param config: what to look for, None for the defaults.
    :raises ModuleNotFoundError: when the package with the weights is missing.
    """

    def __init__(self, config: MtcnnConfig | None = None) -> None:
        self.config = config = config or MtcnnConfig()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = config.threads
        options.inter_op_num_threads = 1
        # Idle workers that spin take the cores from the recogniser.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._pnet, self._rnet, self._onet = (
            onnxruntime.InferenceSession(
                build_graph(name), options, providers=["CPUExecutionProvider"]
            )
            for name in ("pnet", "rnet", "onet")
        )

    def detect(self, image: RgbImage) -> list[Face]:
        """Return the faces in ``image``, the most certain first."""
        height, width = image.shape[:2]
        margin_x, margin_y = round(width * self.config.border), round(height * self.config.border)
        if margin_x or margin_y:
            image = cv2.copyMakeBorder(
                image, margin_y, margin_y, margin_x, margin_x, cv2.BORDER_CONSTANT
            )
        pyramid = ImagePyramid(np.ascontiguousarray(image))
        boxes = self._refine(pyramid, self._propose(pyramid))
        return [
            Face(
                BoundingBox(left - margin_x, top - margin_y, right - left, bottom - top),
                score,
                points - np.array([margin_x, margin_y], np.float32),
            )
            for (left, top, right, bottom), score, points in self._finish(pyramid, boxes)
        ]

    def _propose(self, pyramid: ImagePyramid) -> NDArray[np.float32]:
        """Run P-Net on every size of the image and return the square candidates, N x 4."""
        found_boxes, found_scores = [], []
        scales = pyramid_scales(
            pyramid.image.shape,
            self.config.min_face_px,
            _PNET_CELL_PX,
            self.config.scale_factor,
        )
        for scale in scales:
            level = pyramid.scaled(scale)
            probability, regression = self._pnet.run(None, {"image": level[None]})
            rows, columns = np.nonzero(probability[0, 0] >= self.config.thresholds[0])
            if not rows.size:
                continue
            scores = probability[0, 0, rows, columns]
            cells = np.stack([columns, rows], axis=1) * _PNET_STRIDE_PX
            windows = np.hstack([cells, cells + _PNET_CELL_PX]).astype(np.float32) / np.float32(
                scale
            )
            keep = non_maximum_suppression(windows, scores, _NMS_WITHIN_SCALE)
            edges = regression[0, :, rows[keep], columns[keep]]
            found_boxes.append(_regressed(windows[keep], edges))
            found_scores.append(scores[keep])
        if not found_boxes:
            return np.empty((0, 4), np.float32)
        boxes, scores = np.concatenate(found_boxes), np.concatenate(found_scores)
        return _squared(boxes[non_maximum_suppression(boxes, scores, _NMS_BETWEEN_SCALES)])

    def _refine(self, pyramid: ImagePyramid, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run R-Net on the candidates and return those that remain, squared, M x 4."""
        if not len(boxes):
            return boxes
        crops = pyramid.squares(boxes, _RNET_INPUT_PX)
        probability, edges = self._rnet.run(None, {"image": crops})
        scores = probability[:, 0]
        chosen = np.flatnonzero(scores >= self.config.thresholds[1])
        keep = chosen[non_maximum_suppression(boxes[chosen], scores[chosen], _NMS_RNET)]
        return _squared(_regressed(boxes[keep], edges[keep]))

    def _finish(
        self, pyramid: ImagePyramid, boxes: NDArray[np.float32]
    ) -> list[tuple[list[float], float, NDArray[np.float32]]]:
        """Run O-Net and return (box, probability, landmarks 5 x 2) of each face."""
        if not len(boxes):
            return []
        crops = pyramid.squares(boxes, _ONET_INPUT_PX)
        probability, edges, points = self._onet.run(None, {"image": crops})
        scores = probability[:, 0]
        chosen = np.flatnonzero(scores >= self.config.thresholds[2])
        squares = boxes[chosen]
        relative = points[chosen].reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = squares[:, None, :2] + relative * (squares[:, None, 2:] - squares[:, None, :2])
        final = _regressed(squares, edges[chosen])
        keep = non_maximum_suppression(final, scores[chosen], _NMS_ONET, over="smaller")
        return [(final[i].tolist(), float(scores[chosen][i]), landmarks[i]) for i in keep]


def _regressed(boxes: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``boxes`` with each edge moved by its regression, relative to the box's size."""
    size = boxes[:, 2:] - boxes[:, :2]
    return boxes + edges * np.concatenate([size, size], axis=1)


def _squared(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the squares around the centres of ``boxes`` with their longer sides."""
    size = boxes[:, 2:] - boxes[:, :2]
    center = boxes[:, :2] + size / 2
    half = np.max(size, axis=1, keepdims=True) / 2
    return np.concatenate([center - half, center + half], axis=1)
