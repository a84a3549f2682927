# SPDX-License-Identifier: Apache-2.0
"""Fields of ``sensor_msgs/Image``, mostly slightly wrong."""

from __future__ import annotations

from random import Random

from fer_perception.images.decoding import ENCODINGS, ImageError, decode_image

from ..mutation import nasty_integer, nasty_text
from ..target import Target, Try

_MAX_UINT32 = 2**32 - 1
_NOISE = Random(0).randbytes(1 << 16)


def _prepare() -> Try:
    return _try


def _try(rng: Random) -> None:
    encoding = rng.choice(ENCODINGS)
    width, height = rng.randint(1, 24), rng.randint(1, 12)
    step = width * rng.choice((1, 2, 3, 4, 6, 8, 12, 16, 24, 32)) + rng.choice((0, 0, 0, 5))
    # In planar encodings, half or all of the luma's size follows it.
    size = step * height * rng.choice((2, 2, 3, 6)) // 2 + rng.choice((0, 0, 0, -1, 1, -step, 100))
    wrong = rng.randrange(10)
    if wrong == 0:
        width = nasty_integer(rng, 0, _MAX_UINT32)
    elif wrong == 1:
        height = nasty_integer(rng, 0, _MAX_UINT32)
    elif wrong == 2:
        step = nasty_integer(rng, 0, _MAX_UINT32)
    elif wrong == 3:
        encoding = nasty_text(rng)
    elif wrong == 4:
        size = rng.randint(0, 4000)
    start = rng.randrange(1000)
    data = _NOISE[start : start + max(0, size)]
    image = decode_image(data, width, height, step, encoding, rng.random() < 0.5)
    assert image.shape == (height, width, 3) and image.dtype == "uint8", image.shape


TARGETS = (Target("raw_images", 400_000, _prepare, (ImageError,)),)
