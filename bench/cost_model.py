# SPDX-License-Identifier: Apache-2.0
"""Cost of a frame by its pixels and faces, with a plot."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from .test_images import moving_faces, with_faces
from .tested_model import pipeline_of_the_node

_SIZES = ((640, 480), (960, 720), (1280, 720), (1920, 1080))
_FACES = (0, 1, 4, 20)
_RATE_HZ = 30.0
MODES = {
    "every frame searched": {"detection_interval_s": 0.0, "recognition_rate_hz": 0.0},
    "faces followed (default)": {},
}


@dataclass(frozen=True)
class CostModel:
    """Least-squares fit of milliseconds to megapixels and faces.

    ms = base_ms + megapixel_ms * 10^6 pixels + face_ms * faces.

    :ivar points: (10^6 pixels, faces, milliseconds), as measured.
    """

    mode: str
    base_ms: float
    megapixel_ms: float
    face_ms: float
    points: list[tuple[float, int, float]]


def _frame_ms(mode: str, width: int, height: int, faces: int, frames: int) -> float:
    pipeline = pipeline_of_the_node(MODES[mode])
    images = (
        moving_faces(width, height, faces, 10) if faces else [with_faces(width, height, 0)] * 10
    )
    times = []
    for count in range(frames):
        start = time.perf_counter()
        pipeline.track(images[count % len(images)], count / _RATE_HZ)
        times.append(1e3 * (time.perf_counter() - start))
    # A full detection costs more than following: means of intervals,
    # and their median.
    means = np.array(times[10:]).reshape(-1, 10).mean(axis=1)
    return statistics.median(means.tolist())


def measure(frames: int = 60) -> list[CostModel]:
    """Measure all sizes and face counts in memory, on one thread."""
    models = []
    for mode in MODES:
        points = [
            (1e-6 * w * h, faces, _frame_ms(mode, w, h, faces, frames))
            for w, h in _SIZES
            for faces in _FACES
        ]
        # Without faces every frame is searched, which belongs to the other mode.
        fitted = [point for point in points if point[1] or MODES[mode]]
        rows = np.array([[1.0, pixels, faces] for pixels, faces, _ in fitted])
        values = np.array([ms for *_, ms in fitted])
        # Relative errors: each row is divided by its value.
        fit, *_ = np.linalg.lstsq(rows / values[:, None], np.ones(len(values)), rcond=None)
        base, megapixel, face = fit.tolist()
        models.append(CostModel(mode, base, megapixel, face, points))
    return models


def draw(models: list[CostModel], path: Path) -> None:
    """Write the plot."""
    figure = Figure(figsize=(8.0, 3.6), layout="constrained")
    for axes, model in zip(figure.subplots(1, len(models), sharey=True), models, strict=True):
        for faces in _FACES:
            line = [(x, ms) for x, n, ms in model.points if n == faces]
            xs = [x for x, _ in line]
            [drawn] = axes.plot(xs, [ms for _, ms in line], "o", label=f"{faces} faces")
            fitted = [model.base_ms + model.megapixel_ms * x + model.face_ms * faces for x in xs]
            if faces or MODES[model.mode]:
                axes.plot(xs, fitted, color=drawn.get_color(), linewidth=1)
        axes.set_title(model.mode, fontsize=10)
        axes.set_xlabel("image, 10$^6$ pixels")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("ms per frame, one thread")
    figure.axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=110)
