# SPDX-License-Identifier: Apache-2.0
"""Run the cascade on ONNX Runtime, for GPUs or as fallback."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..face import RgbImage
from ..images.pyramid import HALVING_GRID_PX, ImagePyramid, pyramid_scales
from ..inference.onnx_session import execution_provider_of, open_session
from .mtcnn_weights import NETWORKS, load_graph
from .non_maximum_suppression import non_maximum_suppression, overlaps

__all__ = ["PNET_CELL_PX", "OnnxCascade"]

PNET_CELL_PX: Final = 12
"""Side of the face that P-Net looks for in a scaled image."""

_PNET_STRIDE_PX: Final = 2
_RNET_INPUT_PX: Final = 24
_ONET_INPUT_PX: Final = 48

# Overlaps above which the lower of two boxes is suppressed: within a scale, between scales, after
# R-Net and after O-Net (over the smaller box). Those of the reference implementation.
_NMS_WITHIN_SCALE: Final = 0.5
_NMS_BETWEEN_SCALES: Final = 0.7
_NMS_RNET: Final = 0.7
_NMS_ONET: Final = 0.7

# R-Net leaves four or five views of each face. Once O-Net accepts the best one, it is not run
# on the others: those whose overlap is such that the last suppression, over the smaller box,
# would see one face in both. bench/README.md gives the cost.
_SAME_FACE: Final = _NMS_ONET / (2.0 - _NMS_ONET)
_SURE: Final = 0.998


class OnnxCascade:
    """The three networks and the steps between them.

    A face is a row of 15: left, top, right, bottom, probability, and x, y of five landmarks.

    :param threads: CPU threads of each network, at least 1.
    :param execution_provider: one of :data:`~..inference.onnx_session.EXECUTION_PROVIDERS`.
    :ivar execution_provider: the provider in use.
    :raises ~fer_perception.inference.model_files.ModelError: when a graph is missing or altered.
    """

    def __init__(self, threads: int = 1, execution_provider: str = "cpu") -> None:
        self._pnet, self._rnet, self._onet = (
            open_session(load_graph(network), threads, execution_provider) for network in NETWORKS
        )
        self.execution_provider = execution_provider_of(self._pnet)

    def detect(
        self,
        image: RgbImage,
        min_face_px: float,
        scale_factor: float,
        thresholds: tuple[float, float, float],
    ) -> NDArray[np.float32]:
        """Return a row per face, the most certain first."""
        pyramid = ImagePyramid(image)
        squares = self.propose(pyramid, min_face_px, scale_factor, thresholds[0])
        squares = self.reject(pyramid, squares, thresholds[1])
        rows = self.inspect(pyramid, squares)
        rows = rows[rows[:, 4] >= thresholds[2]]
        return rows[non_maximum_suppression(rows[:, :4], rows[:, 4], _NMS_ONET, over="smaller")]

    def refine(self, image: RgbImage, squares: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run O-Net alone on ``squares``, N x 4, and return a row for each."""
        first = np.maximum(squares[:, :2].min(axis=0) - HALVING_GRID_PX, 0).astype(int)
        left, top = first // HALVING_GRID_PX * HALVING_GRID_PX
        right, bottom = np.maximum(squares[:, 2:].max(axis=0) + HALVING_GRID_PX, 1).astype(int)
        part = image[top:bottom, left:right]
        if not part.size:
            left, top, part = 0, 0, image
        rows = self._finish(ImagePyramid(part), squares - np.array([left, top] * 2, np.float32))
        rows[:, 0:4:2] += left
        rows[:, 1:4:2] += top
        rows[:, 5::2] += left
        rows[:, 6::2] += top
        return rows

    def propose(
        self, pyramid: ImagePyramid, min_face_px: float, scale_factor: float, threshold: float
    ) -> NDArray[np.float32]:
        """Run P-Net at every scale and return the square candidates, N x 4."""
        found_boxes, found_scores = [], []
        scales = pyramid_scales(
            pyramid.image.shape,
            min_face_px,
            PNET_CELL_PX,
            scale_factor,
        )
        for scale in scales:
            level = pyramid.scaled(scale)
            probability, regression = self._pnet.run(None, {"image": level[None]})
            rows, columns = np.nonzero(probability[0, 0] >= threshold)
            if not rows.size:
                continue
            scores = probability[0, 0, rows, columns]
            cells = np.stack([columns, rows], axis=1) * _PNET_STRIDE_PX
            windows = np.hstack([cells, cells + PNET_CELL_PX]).astype(np.float32) / np.float32(
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

    def reject(
        self, pyramid: ImagePyramid, boxes: NDArray[np.float32], threshold: float
    ) -> NDArray[np.float32]:
        """Run R-Net on the candidates; return the accepted squares, best first."""
        if not len(boxes):
            return boxes
        crops = pyramid.squares(boxes, _RNET_INPUT_PX)
        probability, edges = self._rnet.run(None, {"image": crops})
        scores = probability[:, 0]
        chosen = np.flatnonzero(scores >= threshold)
        keep = chosen[non_maximum_suppression(boxes[chosen], scores[chosen], _NMS_RNET)]
        return _squared(_regressed(boxes[keep], edges[keep]))

    def inspect(self, pyramid: ImagePyramid, squares: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run O-Net on each face's best view, on others if uncertain.

        :param squares: N x 4, best first.
        :returns: a row for each square that O-Net was run on.
        """
        if not len(squares):
            return np.empty((0, 15), np.float32)
        ranks = np.arange(len(squares), dtype=np.float32)
        best = non_maximum_suppression(squares, -ranks, _SAME_FACE)
        rows = self._finish(pyramid, squares[best])
        sure = squares[best][rows[:, 4] >= _SURE]
        others = np.delete(squares, best, axis=0)
        others = others[(overlaps(others, sure) <= _SAME_FACE).all(axis=1)]
        if not len(others):
            return rows
        return np.concatenate([rows, self._finish(pyramid, others)])

    def _finish(self, pyramid: ImagePyramid, squares: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run O-Net and return a row for each of ``squares``."""
        crops = pyramid.squares(squares, _ONET_INPUT_PX)
        probability, edges, points = self._onet.run(None, {"image": crops})
        relative = points.reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = squares[:, None, :2] + relative * (squares[:, None, 2:] - squares[:, None, :2])
        boxes = _regressed(squares, edges)
        return np.concatenate([boxes, probability, landmarks.reshape(-1, 10)], axis=1)


def _regressed(boxes: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``boxes`` with each edge moved by its relative regression."""
    size = boxes[:, 2:] - boxes[:, :2]
    return boxes + edges * np.concatenate([size, size], axis=1)


def _squared(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return squares of the longer side around the centres of ``boxes``."""
    size = boxes[:, 2:] - boxes[:, :2]
    center = boxes[:, :2] + size / 2
    half = np.max(size, axis=1, keepdims=True) / 2
    return np.concatenate([center - half, center + half], axis=1)
