# SPDX-License-Identifier: Apache-2.0
"""Emotion messages with arbitrary numbers, through the light's pipeline."""

from __future__ import annotations

from random import Random

import numpy as np
from fer_msgs.msg import EmotionArray, EmotionStamped

from ambient_light_driver.color.light_color import relative_luminance
from ambient_light_driver.color.palette import load_palette, shipped_palettes
from ambient_light_driver.nodes.emotion_conversion import faces_from_message, message_from_color
from ambient_light_driver.pipeline import LightPipeline
from ambient_light_driver.selection.face_selection import SELECTIONS
from ambient_light_driver.settings import LightSettings
from robustness.soak.flashes import FlashCounter

from ..mutation import nasty_float, nasty_integer, nasty_text
from ..target import Target, Try

_MAX_UINT32 = 2**32 - 1
_OUTPUT_PERIOD_S = 0.02


def hostile_face(rng: Random) -> EmotionStamped:
    """Return a face with arbitrary scores, box and texts."""
    face = EmotionStamped()
    face.face_id = rng.choice((f"f{rng.randrange(4):04d}", nasty_text(rng)))
    if rng.random() < 0.5:
        index = rng.randrange(7)
        face.scores[index] = rng.choice((1.0, 0.4, 1e-40))
    else:
        with np.errstate(over="ignore"):
            face.scores = np.array([nasty_float(rng) for _ in range(7)]).astype(np.float32)
    roi = face.roi
    roi.x_offset, roi.y_offset = (nasty_integer(rng, 0, _MAX_UINT32) for _ in "xy")
    roi.width, roi.height = (nasty_integer(rng, 0, _MAX_UINT32) for _ in "wh")
    return face


def hostile_message(rng: Random) -> EmotionArray:
    """Return the message of an image."""
    message = EmotionArray()
    message.image_width = nasty_integer(rng, 0, _MAX_UINT32)
    message.image_height = nasty_integer(rng, 0, _MAX_UINT32)
    count = rng.choice((0, 1, 1, 1, 2)) if rng.random() < 0.99 else 100
    message.faces = [hostile_face(rng) for _ in range(count)]
    return message


def _prepare() -> Try:
    palettes = [load_palette(name) for name in shipped_palettes()]
    pipeline = LightPipeline(palettes[0], LightSettings())
    lamp = FlashCounter()
    monotonic_s = world_s = 0.0

    def try_one(rng: Random) -> None:
        nonlocal monotonic_s, world_s
        if rng.random() < 0.02:
            pipeline.palette = rng.choice(palettes)
            pipeline.settings = LightSettings(
                face_selection=rng.choice(list(SELECTIONS)),
                time_constant_s=rng.choice((0.0, 0.4)),
                face_dwell_s=0.0,
                emotion_dwell_s=0.0,
                idle_timeout_s=rng.choice((0.1, 3.0)),
            )
        if rng.random() < 0.01:
            world_s = nasty_float(rng) if rng.random() < 0.1 else rng.uniform(0.0, 4.2e9)
        world_s += _OUTPUT_PERIOD_S
        monotonic_s += _OUTPUT_PERIOD_S
        pipeline.observe(faces_from_message(hostile_message(rng)).faces, world_s)
        color = pipeline.step(world_s, monotonic_s).color
        assert color.is_valid(), color
        message_from_color(color)
        red, green, blue = color.linear_light()
        lamp.see(monotonic_s, (red, green, blue), relative_luminance((red, green, blue)))
        assert lamp.worst_flashes <= 3 and lamp.worst_red_flashes <= 3, "the lamp flashes"

    return try_one


TARGETS = (Target("emotion_messages", 150_000, _prepare),)
