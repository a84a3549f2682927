# SPDX-License-Identifier: Apache-2.0
"""Decode JPEG and PNG images of messages, and picture files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..face import RgbImage
from .decoding import ImageError, PixelData
from .header import claimed_size, has_whole_chunks, is_jpeg, is_png, jpeg_lacks_end
from .levels import to_8_bit

MAX_COMPRESSED_PIXELS: Final = 1 << 25
"""Compressed images of more pixels (8K video) are refused: decoding takes three bytes
per pixel."""

_END_OF_JPEG: Final = b"\xff\xd9"


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """A decoded image.

    :ivar pixels: RGB, 8 bits a channel.
    :ivar damage: why a part of it may be missing; empty when it is complete.
    """

    pixels: RgbImage
    damage: str = ""


def decode_compressed(data: PixelData, format_name: str = "") -> DecodedImage:
    """Decode the JPEG or PNG of a message to 8-bit RGB.

    A truncated JPEG, or one without its end marker, is decoded as far as possible. Other formats
    that OpenCV reads are refused, as cameras do not send them.

    :param format_name: the message's field ``format``.
    :raises ImageError: when it is neither, is a depth image, has too many pixels or cannot be
        decoded.
    """
    if "compresseddepth" in format_name.lower():
        raise ImageError(
            f"format {format_name[:40]!r} is compressedDepth, an image of distances: expected the "
            "colour camera's topic, which ends in /compressed"
        )
    raw = bytes(data)
    if not raw:
        raise ImageError("the compressed image is empty")
    size = claimed_size(raw)
    if size is None:
        raise ImageError(
            f"the compressed image ({len(raw)} bytes) is neither JPEG nor PNG, or is cut off"
        )
    width, height = size
    if width * height > MAX_COMPRESSED_PIXELS:
        raise ImageError(
            f"the compressed image claims {width}x{height} pixels: expected at most "
            f"{MAX_COMPRESSED_PIXELS} in all"
        )
    return _decode(raw, "the compressed image")


def decode_file(raw: bytes) -> DecodedImage:
    """Decode a picture file of any format that this OpenCV reads.

    :raises ImageError: when it cannot be decoded.
    """
    if not raw:
        raise ImageError("the file is empty")
    if is_png(raw) and not has_whole_chunks(raw):
        raise ImageError("the PNG is cut off")
    return _decode(raw, "the picture")


def _decode(raw: bytes, name: str) -> DecodedImage:
    damage = ""
    if is_jpeg(raw) and jpeg_lacks_end(raw):
        damage = "the JPEG is cut short or lacks its end marker; a part may be missing"
        raw += _END_OF_JPEG  # without it, OpenCV 4.14 returns nothing
    image: NDArray[Any] | None
    try:
        # Any depth: OpenCV would keep the upper 8 bits of 16, of which 12-bit cameras use 4.
        image = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error as error:
        raise ImageError(f"{name} cannot be decoded: {error.err}") from None
    if image is None:
        raise ImageError(f"{name} ({len(raw)} bytes) cannot be decoded: it is damaged")
    return DecodedImage(cv2.cvtColor(to_8_bit(image), cv2.COLOR_BGR2RGB), damage)
