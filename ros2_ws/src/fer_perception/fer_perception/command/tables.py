# SPDX-License-Identifier: Apache-2.0
"""Print results as tables that fit 80 columns."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from tqdm import tqdm

from ..api import FrameEmotions

__all__ = ["PictureTable", "SegmentTable"]


class PictureTable:
    """Print a row per face immediately."""

    def __init__(self) -> None:
        self._begun = False

    def add(self, result: FrameEmotions) -> None:
        """Print the faces of a picture."""
        if not self._begun:
            _print_row("picture", "emotion", "confidence", "left", "top", "width", "height")
            self._begun = True
        if not result.faces:
            _print_row(result.frame.name, "no face")
        for face in result.faces:
            box = face.box
            numbers = (box.x, box.y, box.width, box.height)
            _print_row(
                result.frame.name,
                face.emotion,
                f"{face.confidence:.2f}",
                *(f"{n:.0f}" for n in numbers),
            )

    def print(self) -> None:
        """Do nothing: the rows are already printed."""


def _print_row(name: str, *cells: str) -> None:
    shown = name if len(name) <= 28 else f"{name[:12]}...{name[-13:]}"
    widths = (10, 10, 5, 5, 6, 6)
    row = f"{shown:<28}" + "".join(f" {c:>{w}}" for c, w in zip(cells, widths, strict=False))
    tqdm.write(row.rstrip(), file=sys.stdout)


@dataclass
class _Segment:
    """An interval in which a face shows one expression."""

    face_id: str
    emotion: str
    first_s: float
    last_s: float
    confidences: list[float]


class SegmentTable:
    """Print a row per interval of one expression at the end."""

    def __init__(self) -> None:
        self._segments: list[_Segment] = []
        self._current: dict[str, _Segment] = {}

    def add(self, result: FrameEmotions) -> None:
        """Add the faces of a frame."""
        for face in result.faces:
            segment = self._current.get(face.face_id)
            if segment is None or segment.emotion != face.emotion:
                segment = _Segment(face.face_id, face.emotion, result.time_s, result.time_s, [])
                self._current[face.face_id] = segment
                self._segments.append(segment)
            segment.last_s = result.time_s
            segment.confidences.append(face.confidence)

    def print(self) -> None:
        """Print all rows."""
        if not self._segments:
            print("no face")
            return
        print(f"{'from s':>9} {'to s':>9}  {'face':<20} {'emotion':<10} {'confidence':>10}")
        for s in self._segments:
            mean = sum(s.confidences) / len(s.confidences)
            print(
                f"{s.first_s:>9.2f} {s.last_s:>9.2f}  {s.face_id[:20]:<20} {s.emotion:<10} "
                f"{mean:>10.2f}"
            )
