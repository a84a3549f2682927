# SPDX-License-Identifier: Apache-2.0
"""Damaged JPEG, PNG and other files, some declaring huge sizes."""

from __future__ import annotations

import struct
import zlib
from random import Random

import cv2
import numpy as np

from fer_perception.images.compressed import decode_compressed
from fer_perception.images.decoding import ImageError

from ..mutation import mutated, nasty_integer
from ..target import Target, Try

_SUFFIXES = (".jpg", ".jpg", ".png", ".jpg", ".png", ".webp", ".tiff", ".hdr")


def _seeds() -> list[bytes]:
    rng = np.random.default_rng(0)
    picture = cv2.resize(rng.integers(0, 255, (5, 7, 3), np.uint8), (28, 20))
    seeds = [cv2.imencode(suffix, picture)[1].tobytes() for suffix in _SUFFIXES]
    progressive = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 2]
    deep = cv2.imencode(".png", picture.astype(np.uint16) * 16)[1].tobytes()
    return [*seeds, cv2.imencode(".jpg", picture, progressive)[1].tobytes(), deep]


def _prepare() -> Try:
    seeds = _seeds()

    def try_one(rng: Random) -> None:
        kind = rng.randrange(12)
        if kind == 0:
            data = _claiming_png(rng)
        elif kind == 1:
            data = _claiming_jpeg(rng, seeds[0])
        elif kind in (3, 4):
            data = _png(rng, seeds)
        elif kind == 2:
            data = rng.randbytes(rng.choice((0, 1, 2, 10, 200)))
        else:
            data = mutated(rng, rng.choice(seeds))
        image = decode_compressed(data).pixels
        assert image.ndim == 3 and image.shape[2] == 3 and image.dtype == "uint8", image.shape

    return try_one


def _claiming_png(rng: Random) -> bytes:
    """Return a small PNG that declares a large size, with valid checksums."""
    sizes = (nasty_integer(rng, 0, 2**31 - 1), rng.choice((1, 100, 8000, 30_000, 2**31 - 1)))
    width, height = rng.sample(sizes, 2)

    header = struct.pack(">IIBBBBB", width, height, 8, rng.choice((0, 2, 6)), 0, 0, 0)
    return _of_chunks(header, zlib.compress(bytes(rng.choice((10, 100_000)))))


def _png(rng: Random, seeds: list[bytes]) -> bytes:
    """Return a PNG with a damaged header or pixels and valid checksums."""
    png = seeds[_SUFFIXES.index(".png")]
    (length,) = struct.unpack_from(">I", png, 33)
    header, pixels = bytearray(png[16:29]), png[41 : 41 + length]
    if rng.random() < 0.5:
        header[rng.randrange(8, 13)] = rng.randrange(256)
    else:
        pixels = mutated(rng, pixels)
    kind = rng.choice((b"", b"acTL", b"fcTL", b"PLTE", b"tRNS", b"eXIf", b"iCCP"))
    return _of_chunks(bytes(header), pixels, kind, rng.randbytes(rng.choice((0, 3, 8, 26))))


def _of_chunks(header: bytes, pixels: bytes, extra_kind: bytes = b"", extra: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    between = chunk(extra_kind, extra) if extra_kind else b""
    chunks = chunk(b"IHDR", header) + between + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _claiming_jpeg(rng: Random, jpeg: bytes) -> bytes:
    """Return ``jpeg`` with a different size in its header."""
    at = jpeg.index(b"\xff\xc0") + 5
    sizes = [nasty_integer(rng, 0, 65_535), rng.choice((1, 100, 8000, 30_000, 65_535))]
    return jpeg[:at] + struct.pack(">HH", *sizes) + jpeg[at + 4 :]


TARGETS = (Target("compressed_images", 120_000, _prepare, (ImageError,)),)
