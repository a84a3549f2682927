# SPDX-License-Identifier: Apache-2.0
"""Write small Matroska videos with arbitrary frame times."""

import struct
from collections.abc import Iterable
from pathlib import Path

import cv2

from fer_perception.face import RgbImage

_UNKNOWN_SIZE = b"\x01\xff\xff\xff\xff\xff\xff\xff"


def write_matroska(
    path: Path, frames: Iterable[tuple[RgbImage, int]], duration_ms: int | None = None
) -> None:
    """Write a video of Motion JPEG.

    :param frames: images and their times in milliseconds.
    :param duration_ms: declared in the header; None for none, as by a browser's recorder.
    """
    frames = list(frames)
    height, width = frames[0][0].shape[:2]
    header = _element(
        0x1A45DFA3,
        _number(0x4286, 1) + _number(0x42F7, 1) + _number(0x42F2, 4) + _number(0x42F3, 8),
        _element(0x4282, b"matroska") + _number(0x4287, 4) + _number(0x4285, 2),
    )
    duration = b"" if duration_ms is None else _element(0x4489, struct.pack(">d", duration_ms))
    names = _element(0x4D80, b"test") + _element(0x5741, b"test")
    info = _element(0x1549A966, _number(0x2AD7B1, 10**6), duration, names)
    size = _element(0xE0, _number(0xB0, width) + _number(0xBA, height))
    track = _number(0xD7, 1) + _number(0x73C5, 1) + _number(0x83, 1) + _element(0x86, b"V_MJPEG")
    tracks = _element(0x1654AE6B, _element(0xAE, track, size))
    with path.open("wb") as file:
        file.write(header + struct.pack(">I", 0x18538067) + _UNKNOWN_SIZE + info + tracks)
        for image, time_ms in frames:
            jpeg = cv2.imencode(".jpg", image[..., ::-1])[1].tobytes()
            block = _element(0xA3, b"\x81\x00\x00\x80" + jpeg)
            file.write(_element(0x1F43B675, _number(0xE7, time_ms), block))


def _element(identity: int, *content: bytes) -> bytes:
    body = b"".join(content)
    name = identity.to_bytes((identity.bit_length() + 7) // 8, "big")
    return name + struct.pack(">Q", len(body) | 1 << 56) + body


def _number(identity: int, value: int) -> bytes:
    return _element(identity, value.to_bytes(8, "big"))
