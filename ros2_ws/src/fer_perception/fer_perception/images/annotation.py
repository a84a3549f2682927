# SPDX-License-Identifier: Apache-2.0
"""Draw boxes, ids and probability bars into an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from ..emotions import EMOTIONS
from ..face import RgbImage
from ..face_emotion import FaceEmotion

Color = tuple[int, int, int]

_BOX_COLOR: Final[Color] = (90, 220, 255)
_BAR_COLOR: Final[Color] = (70, 150, 190)
_TOP_BAR_COLOR: Final[Color] = (255, 200, 70)
_TEXT_COLOR: Final[Color] = (240, 240, 240)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_PANEL_SHADE: Final = 0.35  # remaining brightness of the image under text
_REFERENCE_HEIGHT_PX: Final = 480


def annotate(
    image: RgbImage, emotions: Sequence[FaceEmotion], min_confidence: float = 0.0
) -> RgbImage:
    """Return a copy of ``image`` with boxes, ids, labels and score bars.

    :param min_confidence: faces below it are labelled "unknown".
    """
    canvas = image.copy()
    scale = max(0.5, image.shape[0] / _REFERENCE_HEIGHT_PX)
    for emotion in emotions:
        _draw_face(canvas, emotion, scale)
        _draw_panel(canvas, emotion, emotion.label(min_confidence), scale)
    return canvas


def _draw_face(canvas: RgbImage, emotion: FaceEmotion, scale: float) -> None:
    box = emotion.face.box
    thickness = max(1, round(2 * scale))
    cv2.rectangle(
        canvas,
        (round(box.x), round(box.y)),
        (round(box.x + box.width), round(box.y + box.height)),
        _BOX_COLOR,
        thickness,
        cv2.LINE_AA,
    )
    for x, y in emotion.face.landmarks:
        if np.isfinite(x) and np.isfinite(y):
            cv2.circle(canvas, (round(float(x)), round(float(y))), thickness, _BOX_COLOR, -1)


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

    font_scale, text_y = 0.38 * scale, top + margin + round(0.75 * line)
    text_x = left + margin
    title = f"{emotion.face_id} {label} {100 * emotion.confidence:.0f} %".lstrip()
    cv2.putText(canvas, title, (text_x, text_y), _FONT, font_scale, _TEXT_COLOR, 1, cv2.LINE_AA)
    full = panel_width - name_width - 2 * margin
    for row, (name, score) in enumerate(zip(EMOTIONS, emotion.scores, strict=True), start=1):
        y = text_y + row * line
        cv2.putText(canvas, name, (text_x, y), _FONT, font_scale, _TEXT_COLOR, 1, cv2.LINE_AA)
        color = _TOP_BAR_COLOR if name == EMOTIONS[int(emotion.scores.argmax())] else _BAR_COLOR
        bar_left, bar_top = text_x + name_width, y - round(0.6 * line)
        cv2.rectangle(
            canvas,
            (bar_left, bar_top),
            (bar_left + round(full * float(score)), bar_top + round(0.65 * line)),
            color,
            -1,
        )
