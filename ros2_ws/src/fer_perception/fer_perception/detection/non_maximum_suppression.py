# SPDX-License-Identifier: Apache-2.0
"""Suppress all but the best of overlapping boxes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["non_maximum_suppression", "overlaps"]

Over = Literal["union", "smaller"]


def overlaps(
    boxes: NDArray[np.float32], others: NDArray[np.float32], over: Over = "union"
) -> NDArray[np.float32]:
    """Return the relative intersection of each pair of boxes, N x M.

    :param boxes: N x 4, (left, top, right, bottom); ``others`` M x 4.
    :param over: the area to divide by: the union of the two, or the smaller one.
    """
    top_left = np.maximum(boxes[:, None, :2], others[None, :, :2])
    bottom_right = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    intersection = np.prod(np.clip(bottom_right - top_left, 0.0, None), axis=2)
    areas, other_areas = _areas(boxes)[:, None], _areas(others)[None]
    if over == "union":
        reference = areas + other_areas - intersection
    else:
        reference = np.minimum(areas, other_areas)
    return np.divide(
        intersection, reference, out=np.zeros_like(intersection), where=reference > 0.0
    )


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def non_maximum_suppression(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    threshold: float,
    over: Over = "union",
) -> NDArray[np.intp]:
    """Return the indices of the boxes to keep, best first.

    :param boxes: N x 4, (left, top, right, bottom).
    :param scores: N.
    :param threshold: a box is suppressed when its intersection with a better one, over the area
        named by ``over``, exceeds it.
    :param over: the union of the two, or the smaller one (which suppresses boxes inside another).
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[np.intp] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        order = rest[overlaps(boxes[[best]], boxes[rest], over)[0] <= threshold]
    return np.array(kept, dtype=np.intp)
