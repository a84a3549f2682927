# SPDX-License-Identifier: Apache-2.0
"""Draw boxes, ids and expressions into an image.

One face has a panel with a bar per class beside it. Several faces have one line each, placed so
that it covers no face where that is possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np

from ..emotion_colors import EMOTION_COLORS
from ..emotions import EMOTIONS
from ..face import BoundingBox, RgbImage
from ..face_emotion import FaceEmotion

_TEXT_COLOR: Final = (240, 240, 240)
_LABEL_GROUND: Final = (20, 22, 28)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE: Final = 0.38
_LABEL_FONT_SCALE: Final = 0.45
_PANEL_SHADE: Final = 0.35  # remaining brightness of the image under text
_REFERENCE_HEIGHT_PX: Final = 480


def annotate(
    image: RgbImage, emotions: Sequence[FaceEmotion], min_confidence: float = 0.0
) -> RgbImage:
    """Return a copy of ``image`` with boxes, ids, labels and scores.

    :param min_confidence: faces below it are labelled "unknown".
    """
    canvas = image.copy()
    scale = max(0.5, image.shape[0] / _REFERENCE_HEIGHT_PX)
    labels = [emotion.label(min_confidence) for emotion in emotions]
    for emotion, label in zip(emotions, labels, strict=True):
        _draw_face(canvas, emotion, label, scale)
    if len(emotions) == 1:
        _draw_panel(canvas, emotions[0], labels[0], scale)
    else:
        _draw_labels(canvas, emotions, labels, scale)
    return canvas


def _title(emotion: FaceEmotion, label: str) -> str:
    return f"{emotion.face_id} {label} {100 * emotion.confidence:.0f} %".lstrip()


def _draw_face(canvas: RgbImage, emotion: FaceEmotion, label: str, scale: float) -> None:
    box, color = emotion.face.box, EMOTION_COLORS[label]
    thickness = max(1, round(2 * scale))
    cv2.rectangle(
        canvas,
        (round(box.x), round(box.y)),
        (round(box.x + box.width), round(box.y + box.height)),
        color,
        thickness,
        cv2.LINE_AA,
    )
    for x, y in emotion.face.landmarks:
        if np.isfinite(x) and np.isfinite(y):
            cv2.circle(canvas, (round(float(x)), round(float(y))), thickness, color, -1)


def _draw_labels(
    canvas: RgbImage, emotions: Sequence[FaceEmotion], labels: Sequence[str], scale: float
) -> None:
    """Draw one line of text per face."""
    font_scale, margin = _LABEL_FONT_SCALE * scale, max(2, round(4 * scale))
    titles = [_title(*pair) for pair in zip(emotions, labels, strict=True)]
    sizes = [cv2.getTextSize(title, _FONT, font_scale, 1)[0] for title in titles]
    places = place_labels(
        [emotion.face.box for emotion in emotions],
        [(width + 3 * margin, height + 2 * margin) for width, height in sizes],
        (canvas.shape[1], canvas.shape[0]),
    )
    for title, label, place in zip(titles, labels, places, strict=True):
        left, top = round(place.x), round(place.y)
        right, bottom = round(place.x + place.width), round(place.y + place.height)
        cv2.rectangle(canvas, (left, top), (right, bottom), _LABEL_GROUND, -1)
        cv2.rectangle(canvas, (left, top), (left + margin, bottom), EMOTION_COLORS[label], -1)
        at = (left + 2 * margin, bottom - margin)
        cv2.putText(canvas, title, at, _FONT, font_scale, _TEXT_COLOR, 1, cv2.LINE_AA)


def place_labels(
    boxes: Sequence[BoundingBox],
    sizes: Sequence[tuple[int, int]],
    image_size: tuple[int, int],
) -> list[BoundingBox]:
    """Return a place for each box's label, inside the image if possible.

    A label goes to the first place that covers no face and no earlier label, else to the one that
    covers least.

    :param sizes: (width, height) of each label [px].
    :param image_size: (width, height) of the image [px].
    """
    placed: list[BoundingBox] = []
    for box, size in zip(boxes, sizes, strict=True):
        places = list(_candidates(box, size, image_size))
        covered = [sum(_overlap(place, other) for other in (*boxes, *placed)) for place in places]
        placed.append(places[covered.index(min(covered))])
    return placed


def _candidates(
    box: BoundingBox, size: tuple[int, int], image_size: tuple[int, int]
) -> Iterator[BoundingBox]:
    """Yield places around a box, the preferred one first."""
    width, height = size
    middle = box.x + 0.5 * (box.width - width)
    columns = (box.x, middle, box.x + box.width - width)
    rows = (box.y, box.y + 0.5 * (box.height - height), box.y + box.height - height)
    gap = 2.0
    points = [(x, box.y - height - gap) for x in columns]
    points += [(x, box.y + box.height + gap) for x in columns]
    points += [(box.x + box.width + gap, y) for y in rows]
    points += [(box.x - width - gap, y) for y in rows]
    # Further away, for crowds.
    points += [(x, box.y - 2 * (height + gap)) for x in columns]
    points += [(x, box.y + box.height + height + 2 * gap) for x in columns]
    for x, y in points:
        yield BoundingBox(
            min(max(x, 0.0), max(0.0, image_size[0] - width)),
            min(max(y, 0.0), max(0.0, image_size[1] - height)),
            width,
            height,
        )


def _overlap(one: BoundingBox, other: BoundingBox) -> float:
    """Return the common area [px²]."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0.0, width) * max(0.0, height)


def _draw_panel(canvas: RgbImage, emotion: FaceEmotion, label: str, scale: float) -> None:
    """Draw the title and one bar per class beside the box."""
    height, width = canvas.shape[:2]
    line, panel_width, name_width = (round(n * scale) for n in (14, 150, 70))
    margin = max(2, round(4 * scale))
    panel_height = line * (len(EMOTIONS) + 1) + 2 * margin
    box = emotion.face.box
    left = round(box.x + box.width) + margin
    if left + panel_width > width:
        left = round(box.x) - margin - panel_width
    left = min(max(left, 0), max(0, width - panel_width))
    top = min(max(round(box.y), 0), max(0, height - panel_height))
    panel = canvas[top : top + panel_height, left : left + panel_width]
    panel[:] = (panel * _PANEL_SHADE).astype(np.uint8)

    font_scale, text_y = _FONT_SCALE * scale, top + margin + round(0.75 * line)
    text_x = left + margin
    title = _title(emotion, label)
    cv2.putText(canvas, title, (text_x, text_y), _FONT, font_scale, _TEXT_COLOR, 1, cv2.LINE_AA)
    full = panel_width - name_width - 2 * margin
    for row, (name, score) in enumerate(zip(EMOTIONS, emotion.scores, strict=True), start=1):
        y = text_y + row * line
        cv2.putText(canvas, name, (text_x, y), _FONT, font_scale, _TEXT_COLOR, 1, cv2.LINE_AA)
        bar_left, bar_top = text_x + name_width, y - round(0.6 * line)
        cv2.rectangle(
            canvas,
            (bar_left, bar_top),
            (bar_left + round(full * float(score)), bar_top + round(0.65 * line)),
            EMOTION_COLORS[name],
            -1,
        )
