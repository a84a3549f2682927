# SPDX-License-Identifier: Apache-2.0
"""Images of unusual sizes through the whole perception, including native code."""

from __future__ import annotations

from random import Random

import numpy as np

from fer_perception.images.frame_source import PortraitSource
from fer_perception.settings import PerceptionSettings, build_pipeline

from ..mutation import nasty_float
from ..target import Target, Try

_SIDES = (1, 2, 3, 11, 12, 13, 39, 40, 41, 64, 97, 160)


def _prepare() -> Try:
    portrait = PortraitSource().read()
    pipelines = [
        build_pipeline(PerceptionSettings(**changed))
        for changed in (
            {},
            {"min_face_px": 12.0, "detection_border": 1.0, "min_detection_confidence": 0.0},
            {"detector_backend": "onnxruntime", "region_left": 0.3, "region_bottom": 0.5},
        )
    ]

    def try_one(rng: Random) -> None:
        height, width = rng.choice(_SIDES), rng.choice(_SIDES)
        kind = rng.randrange(4)
        if kind == 0:
            image = np.full((height, width, 3), rng.randrange(256), np.uint8)
        elif kind == 1:
            noise = np.frombuffer(rng.randbytes(height * width * 3), np.uint8)
            image = noise.reshape(height, width, 3)
        else:
            top, left = rng.randrange(320), rng.randrange(480)
            step = rng.choice((1, 2, 3))
            image = portrait[top::step, left::step][:height, :width]
        stamp_s = rng.choice((nasty_float(rng), rng.uniform(0.0, 1.0)))
        for emotion in rng.choice(pipelines).track(image, stamp_s):
            assert abs(float(emotion.scores.sum()) - 1.0) < 1e-3, emotion.scores
            assert np.isfinite(emotion.face.box.area), emotion.face.box

    return try_one


TARGETS = (Target("searched_images", 6_000, _prepare),)
