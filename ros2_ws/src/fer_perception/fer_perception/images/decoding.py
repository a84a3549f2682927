# SPDX-License-Identifier: Apache-2.0
"""Convert raw image messages of any encoding to RGB.

The encodings are those of ``sensor_msgs/image_encodings.hpp`` that OpenCV converts. NumPy
and OpenCV suffice; the compiled part of cv_bridge breaks with NumPy 2.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ..face import RgbImage
from .levels import to_8_bit

PixelData: TypeAlias = "bytes | bytearray | memoryview | array[int]"

_Pixels: TypeAlias = NDArray[Any]


class ImageError(ValueError):
    """An image cannot be read; the message gives the reason."""


@dataclass(frozen=True)
class _Packed:
    """An encoding with interleaved channels.

    :ivar channels: values per pixel.
    :ivar type_name: NumPy's abbreviation of each value's type, without byte order.
    :ivar conversion: OpenCV's code for the conversion to RGB; None for RGB itself.
    """

    channels: int
    type_name: str
    conversion: int | None

    def row_bytes(self, width: int) -> int:
        return width * self.channels * np.dtype(self.type_name).itemsize

    def rows(self, height: int) -> int:
        return height

    def to_rgb(
        self, pixels: _Pixels, width: int, height: int, step: int, big_endian: bool
    ) -> RgbImage:
        if self.channels == 2 and width % 2:  # OpenCV 4.6 accepts it and reads beyond the row
            raise ImageError(
                f"{width}x{height} cannot be converted: pairs of pixels share their chroma, so "
                "the width must be even"
            )
        dtype = np.dtype(self.type_name)
        rows = pixels.reshape(height, step)[:, : self.row_bytes(width)]
        stored = np.ascontiguousarray(rows).view(dtype.newbyteorder(">" if big_endian else "<"))
        values = stored.astype(dtype, copy=False)
        if self.channels > 1:
            values = values.reshape(height, width, self.channels)
        if dtype != np.uint16:  # OpenCV converts these at full depth
            values = to_8_bit(values)
        if self.conversion is not None:
            values = cv2.cvtColor(values, self.conversion)
        return to_8_bit(values)


@dataclass(frozen=True)
class _Planar:
    """An 8-bit encoding with the luma followed by the chroma.

    :ivar chroma_rows: of ``step`` bytes, for each two rows of the luma.
    :ivar convert: converts luma (H x W), chroma bytes (1-D) and ``step`` to RGB.
    """

    chroma_rows: int
    convert: Callable[[_Pixels, _Pixels, int], RgbImage]

    def row_bytes(self, width: int) -> int:
        return width

    def rows(self, height: int) -> int:
        return height + height // 2 * self.chroma_rows

    def to_rgb(
        self, pixels: _Pixels, width: int, height: int, step: int, big_endian: bool
    ) -> RgbImage:
        if width % 2 or height % 2 or step % 2:
            raise ImageError(
                f"{width}x{height} with step {step} cannot be converted: pairs of pixels share "
                "their chroma, so all three must be even"
            )
        luma = pixels[: step * height].reshape(height, step)[:, :width]
        return self.convert(luma, pixels[step * height :], step)


def _interleaved_420(conversion: int) -> Callable[[_Pixels, _Pixels, int], RgbImage]:
    def to_rgb(luma: _Pixels, chroma: _Pixels, step: int) -> RgbImage:
        height, width = luma.shape
        rows = chroma.reshape(height // 2, step)[:, :width]
        return cv2.cvtColor(np.concatenate((luma, rows)), conversion)

    return to_rgb


def _planes_420(luma: _Pixels, chroma: _Pixels, step: int) -> RgbImage:
    height, width = luma.shape
    rows = chroma.reshape(height, step // 2)[:, : width // 2].reshape(height // 2, width)
    return cv2.cvtColor(np.concatenate((luma, rows)), cv2.COLOR_YUV2RGB_I420)


def _interleaved_444(luma: _Pixels, chroma: _Pixels, step: int) -> RgbImage:
    # OpenCV has no conversion for it; with half of the chroma it is NV12.
    height, width = luma.shape
    full = chroma.reshape(height, step, 2)[:, :width]
    half = cv2.resize(full, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    rows = half.reshape(height // 2, width)
    return cv2.cvtColor(np.concatenate((luma, rows)), cv2.COLOR_YUV2RGB_NV12)


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

# OpenCV's own names: blue first, as in OpenCV. Two channels hold no colour.
_TYPES: Final = {
    f"{depth}C{channels}": _Packed(channels, type_name, _COLORS[name][1])
    for depth, type_name in (
        *(("8U", "u1"), ("8S", "i1"), ("16U", "u2"), ("16S", "i2")),
        *(("32S", "i4"), ("32F", "f4"), ("64F", "f8")),
    )
    for channels, name in ((1, "mono"), (3, "bgr"), (4, "bgra"))
}

_LAYOUTS: Final[dict[str, _Packed | _Planar]] = {
    **{
        f"{name}{8 * size}": _Packed(channels, f"u{size}", conversion)
        for name, (channels, conversion) in _COLORS.items()
        for size in (1, 2)
    },
    **_TYPES,
    **dict.fromkeys(("yuv422", "uyvy"), _Packed(2, "u1", cv2.COLOR_YUV2RGB_UYVY)),
    **dict.fromkeys(("yuv422_yuy2", "yuyv"), _Packed(2, "u1", cv2.COLOR_YUV2RGB_YUYV)),
    "nv12": _Planar(1, _interleaved_420(cv2.COLOR_YUV2RGB_NV12)),
    "nv21": _Planar(1, _interleaved_420(cv2.COLOR_YUV2RGB_NV21)),
    "i420": _Planar(1, _planes_420),
    "nv24": _Planar(4, _interleaved_444),
}
_BY_LOWER_CASE: Final = {name.lower(): layout for name, layout in _LAYOUTS.items()}

ENCODINGS: Final[tuple[str, ...]] = tuple(_LAYOUTS)
"""Names of the encodings that :func:`decode_image` reads, in any case of letters."""


class RawImage(Protocol):
    """The fields of ``sensor_msgs/Image``, from rclpy or rosbags."""

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
    """Convert raw pixels to RGB, 8 bits per channel.

    Values of more than 8 bits are scaled as :func:`~.levels.to_8_bit` says.

    :param data: the rows in order.
    :param width: in pixels.
    :param height: in pixels.
    :param step: bytes from one row to the next, of the luma where the chroma is apart; rows may
        be padded.
    :param encoding: one of :data:`ENCODINGS`, in any case of letters.
    :param big_endian: byte order of values of more than 8 bits.
    :returns: H x W x 3; it may share the memory of ``data``.
    :raises ImageError: when the fields contradict each other or the encoding is unknown.
    """
    layout = _BY_LOWER_CASE.get(encoding.lower())
    if layout is None:
        raise ImageError(
            f"encoding {encoding[:40]!r} is not supported: expected one of {', '.join(ENCODINGS)}"
        )
    if width < 1 or height < 1:
        raise ImageError(f"the image is empty: {width}x{height}")
    row_bytes = layout.row_bytes(width)
    if step < row_bytes:
        raise ImageError(
            f"step is {step}, but a row of {width} pixels {encoding} takes {row_bytes} bytes"
        )
    size = step * layout.rows(height)
    pixels = np.frombuffer(data, np.uint8)
    if pixels.size < size:
        raise ImageError(
            f"data holds {pixels.size} bytes, but {width}x{height} {encoding} with step {step} "
            f"takes {size}"
        )
    try:
        return layout.to_rgb(pixels[:size], width, height, step, big_endian)
    except cv2.error as error:
        raise ImageError(f"{width}x{height} {encoding} cannot be converted: {error.err}") from None
