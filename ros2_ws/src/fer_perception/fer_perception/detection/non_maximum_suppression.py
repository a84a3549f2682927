# SPDX-License-Identifier: Apache-2.0
"""Keeps the best of boxes that overlap."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray


def non_maximum_suppression(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    threshold: float,
    over: Literal["union", "smaller"] = "union",
) -> NDArray[np.intp]:
    """Return the indices of the boxes to keep, best first.

    :param boxes: N x 4, (left, top, right, bottom).
    :param scores: N.
    :param threshold: a box goes when its intersection with a better one, over the area named by
        ``over``, exceeds it.
    :param over: the union of the two, or the smaller one (which removes boxes inside another).
    """
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.argsort(-scores, kind="stable")
    kept: list[np.intp] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        top_left = np.maximum(boxes[best, :2], boxes[rest, :2])
        bottom_right = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        intersection = np.prod(np.clip(bottom_right - top_left, 0.0, None), axis=1)
        if over == "union":
            reference = areas[best] + areas[rest] - intersection
        else:
            reference = np.minimum(areas[best], areas[rest])
        order = rest[intersection <= threshold * reference]
    return np.array(kept, dtype=np.intp)
