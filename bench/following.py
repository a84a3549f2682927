# SPDX-License-Identifier: Apache-2.0
"""Compare following faces with searching every frame, on clips."""

import time
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from fer_perception.face_emotion import FaceEmotion

from .labels import frames_of
from .tested_model import pipeline_of_the_node

_REFERENCE: dict[str, Any] = {
    "detection_interval_s": 0.0,
    "recognition_rate_hz": 0.0,
    "precision": "float32",
}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "every frame, float32": _REFERENCE,
    "every frame": {"detection_interval_s": 0.0, "recognition_rate_hz": 0.0},
    "every 0.15 s": {"detection_interval_s": 0.15, "recognition_rate_hz": 0.0},
    "every 0.33 s": {"recognition_rate_hz": 0.0},
    "every 0.6 s": {"detection_interval_s": 0.6, "recognition_rate_hz": 0.0},
    "every 0.33 s, 15 Hz": {"recognition_rate_hz": 15.0},
    "every 0.33 s, 10 Hz (default)": {},
}
_MAX_FRAMES = 400
_SAME_FACE_IOU = 0.4


@dataclass
class Agreement:
    """Agreement with the faces found by the reference.

    :ivar faces: found by the reference.
    :ivar missed: those of the reference that were not found.
    :ivar extra: found, but not by the reference.
    :ivar ious: IoU of the boxes of each common face.
    :ivar same_labels: common faces with the reference's label.
    """

    faces: int = 0
    missed: int = 0
    extra: int = 0
    same_labels: int = 0
    ious: list[float] = field(default_factory=list)
    frames: int = 0
    seconds: float = 0.0

    def compare(self, emotions: list[FaceEmotion], reference: list[FaceEmotion]) -> None:
        """Count one frame."""
        self.faces += len(reference)
        self.extra += max(0, len(emotions) - len(reference))
        for truth in reference:
            ious = [emotion.face.box.iou(truth.face.box) for emotion in emotions]
            if max(ious, default=0.0) < _SAME_FACE_IOU:
                self.missed += 1
                continue
            best = emotions[int(np.argmax(ious))]
            self.ious.append(max(ious))
            self.same_labels += best.label() == truth.label()


def clips_of(folder: Path) -> list[Path]:
    """Return the clips of a folder.

    :raises ValueError: when the folder contains no clip.
    """
    clips = sorted(path for path in folder.iterdir() if path.suffix in (".mp4", ".mov", ".avi"))
    if not clips:
        raise ValueError(f"no clip in {folder}: give a folder with .mp4, .mov or .avi files")
    return clips


def measure(folder: Path) -> dict[str, Agreement]:
    """Compare all configurations on every clip of ``folder``.

    :raises ValueError: when the folder contains no clip.
    """
    results = {name: Agreement() for name in CONFIGURATIONS}
    for clip in clips_of(folder):
        pipelines = {name: pipeline_of_the_node(c) for name, c in CONFIGURATIONS.items()}
        for image, stamp_s in islice(frames_of(clip), _MAX_FRAMES):
            seen = {}
            for name, pipeline in pipelines.items():
                start = time.perf_counter()
                seen[name] = pipeline.track(image, stamp_s)
                results[name].seconds += time.perf_counter() - start
                results[name].frames += 1
            reference = next(iter(seen.values()))
            for name, emotions in seen.items():
                results[name].compare(emotions, reference)
    return results
