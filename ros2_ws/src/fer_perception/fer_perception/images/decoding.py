# SPDX-License-Identifier: Apache-2.0
"""Turns the bytes of a camera's image into RGB, whatever their encoding.

The encodings are those of ROS's ``sensor_msgs/image_encodings``. NumPy and OpenCV do it without
cv_bridge, whose compiled part breaks with NumPy 2.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ..face import RgbImage
from .header import claimed_size

MAX_COMPRESSED_PIXELS: Final = 1 << 25
"""Compressed images of more pixels are refused: 8K video has as many, a node's memory three bytes
for each."""

PixelData: TypeAlias = "bytes | bytearray | memoryview | array[int]"


class ImageError(ValueError):
    """An image cannot be read; the message says what is wrong with it."""


@dataclass(frozen=True)
class _Layout:
    """How an encoding stores its pixels.

    :ivar channels: values a pixel.
    :ivar depth_bits: 8 or 16 a value.
    :ivar conversion: OpenCV's code for the conversion to RGB, None where nothing is to be done.
    """

    channels: int
    depth_bits: int
    conversion: int | None


_COLORS: Final = {
    "mono": (1, cv2.COLOR_GRAY2RGB),
    "rgb": (3, None),
    "bgr": (3, cv2.COLOR_BGR2RGB),
    "rgba": (4, cv2.COLOR_RGBA2RGB),
    "bgra": (4, cv2.COLOR_BGRA2RGB),
    # OpenCV names Bayer patterns by their second row, these constants by their first.
    "bayer_rggb": (1, cv2.COLOR_BayerRGGB2RGB),
    "bayer_bggr": (1, cv2.COLOR_BayerBGGR2RGB),
    "bayer_gbrg": (1, cv2.COLOR_BayerGBRG2RGB),
    "bayer_grbg": (1, cv2.COLOR_BayerGRBG2RGB),
}

_LAYOUTS: Final[dict[str, _Layout]] = {
    **{
        f"{name}{depth}": _Layout(channels, depth, conversion)
        for name, (channels, conversion) in _COLORS.items()
        for depth in (8, 16)
    },
    # OpenCV's own names; like OpenCV, they are taken to hold blue first.
    **{
        f"{depth}UC{channels}": _Layout(channels, depth, _COLORS[name][1])
        for channels, name in ((1, "mono"), (3, "bgr"), (4, "bgra"))
        for depth in (8, 16)
    },
    **dict.fromkeys(("yuv422", "uyvy"), _Layout(2, 8, cv2.COLOR_YUV2RGB_UYVY)),
    **dict.fromkeys(("yuv422_yuy2", "yuyv"), _Layout(2, 8, cv2.COLOR_YUV2RGB_YUYV)),
}

ENCODINGS: Final[tuple[str, ...]] = tuple(_LAYOUTS)
"""Names of the encodings that :func:`decode_image` reads."""


class RawImage(Protocol):
    """What ``sensor_msgs/Image`` holds, whoever's class the message is of."""

    data: PixelData
    width: int
    height: int
    step: int
    encoding: str
    is_bigendian: int


def decode_raw(message: RawImage) -> RgbImage:
    """Return the pixels of an image message; they may share its memory.

    :raises ImageError: as :func:`decode_image` does.
    """
    return decode_image(
        message.data,
        message.width,
        message.height,
        message.step,
        message.encoding,
        bool(message.is_bigendian),
    )


def decode_image(
    data: PixelData, width: int, height: int, step: int, encoding: str, big_endian: bool = False
) -> RgbImage:
    """Return an image given as raw pixels as RGB, 8 bits a channel.

    :param data: the rows, one after the other.
    :param width: in pixels.
    :param height: in pixels.
    :param step: bytes from one row to the next; rows may be padded.
    :param encoding: one of :data:`ENCODINGS`.
    :param big_endian: byte order of 16-bit values.
    :returns: H x W x 3; it may share the memory of ``data``.
    :raises ImageError: when the fields contradict each other or the encoding is unknown.
    """
    layout = _LAYOUTS.get(encoding)
    if layout is None:
        raise ImageError(
            f"encoding {encoding[:40]!r} is not supported: expected one of {', '.join(ENCODINGS)}"
        )
    if width < 1 or height < 1:
        raise ImageError(f"the image is empty: {width}x{height}")
    row_bytes = width * layout.channels * layout.depth_bits // 8
    if step < row_bytes:
        raise ImageError(
            f"step is {step}, but a row of {width} pixels {encoding} takes {row_bytes} bytes"
        )
    pixels = np.frombuffer(data, np.uint8)
    if pixels.size < step * height:
        raise ImageError(
            f"data holds {pixels.size} bytes, but step * height is {step} * {height} = "
            f"{step * height}"
        )
    rows = pixels[: step * height].reshape(height, step)[:, :row_bytes]
    values = np.ascontiguousarray(rows)
    if layout.depth_bits == 16:
        values = _high_bytes(values, big_endian)
    if layout.channels > 1:
        values = values.reshape(height, width, layout.channels)
    try:
        return _to_rgb(values, layout)
    except cv2.error as error:
        raise ImageError(f"{width}x{height} {encoding} cannot be converted: {error.err}") from None


def _high_bytes(values: NDArray[np.uint8], big_endian: bool) -> NDArray[np.uint8]:
    """Return the more significant byte of each 16-bit value."""
    return np.ascontiguousarray(values[:, 0 if big_endian else 1 :: 2])


def _to_rgb(values: NDArray[np.uint8], layout: _Layout) -> RgbImage:
    if layout.conversion is None:
        return values
    return cv2.cvtColor(values, layout.conversion)


def decode_compressed(data: PixelData) -> RgbImage:
    """Return a JPEG or PNG as RGB, 8 bits a channel.

    OpenCV knows more formats, but what cameras do not send is not decoded.

    :raises ImageError: when it is neither, has too many pixels or cannot be decoded.
    """
    raw = np.frombuffer(data, np.uint8)
    if not raw.size:
        raise ImageError("the compressed image is empty")
    size = claimed_size(raw.tobytes())
    if size is None:
        raise ImageError(
            f"the compressed image ({raw.size} bytes) is neither JPEG nor PNG, or is cut off"
        )
    width, height = size
    if width * height > MAX_COMPRESSED_PIXELS:
        raise ImageError(
            f"the compressed image claims {width}x{height} pixels: expected at most "
            f"{MAX_COMPRESSED_PIXELS} in all"
        )
    try:
        image = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ImageError(f"the compressed image cannot be decoded: {error.err}") from None
    if image is None:
        raise ImageError(
            f"the compressed image ({raw.size} bytes) cannot be decoded: it is damaged"
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
