# SPDX-License-Identifier: Apache-2.0
"""Read the declared size of a compressed image without decoding it.

A file of a few hundred bytes can declare gigabytes of pixels, which a decoder would allocate.
"""

from __future__ import annotations

import struct
from typing import Final

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8"
# Start of frame, of any kind of coding; C4, C8 and CC have other meanings.
_STARTS_OF_FRAME: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_START_OF_SCAN: Final = 0xDA
# Markers that stand alone; all others are followed by their length.
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_LEAST_SEGMENT_BYTES: Final = 2


def claimed_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) of a JPEG or PNG in pixels, or None."""
    if is_png(data):
        return _png_size(data)
    if is_jpeg(data):
        return _jpeg_size(data)
    return None


def is_png(data: bytes) -> bool:
    """Return whether ``data`` begins with the PNG signature."""
    return data.startswith(_PNG)


def is_jpeg(data: bytes) -> bool:
    """Return whether ``data`` begins with the JPEG signature."""
    return data.startswith(_JPEG)


def _png_size(data: bytes) -> tuple[int, int] | None:
    # The signature, then chunks of length, type, content and checksum; the first one is IHDR.
    if len(data) < 24 or data[12:16] != b"IHDR" or not has_whole_chunks(data):
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def has_whole_chunks(data: bytes) -> bool:
    """Return whether a PNG has all its chunks.

    OpenCV 4.14 hangs on truncated ones.
    """
    at = len(_PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at += 12 + length
    return False


def jpeg_lacks_end(data: bytes) -> bool:
    """Return whether a JPEG lacks the end marker, as when truncated."""
    scan = _find_marker(data, frozenset({_START_OF_SCAN}))
    # Before the scan, a thumbnail may have an end marker of its own.
    return data.rfind(b"\xff\xd9", len(data) if scan is None else scan) < 0


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = _find_marker(data, _STARTS_OF_FRAME)
    if at is None or at + 9 > len(data):
        return None
    height, width = struct.unpack_from(">HH", data, at + 5)
    return width, height


def _find_marker(data: bytes, wanted: frozenset[int]) -> int | None:
    """Return the offset of the first JPEG segment of ``wanted`` kinds."""
    at = len(_JPEG)
    # Like decoders, skip bytes that belong to no marker.
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker in (0x00, 0xFF) or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in wanted:
            return at
        (length,) = struct.unpack_from(">H", data, at + 2)
        at += 2 + max(_LEAST_SEGMENT_BYTES, length)
    return None
