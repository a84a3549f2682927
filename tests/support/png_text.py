# SPDX-License-Identifier: Apache-2.0
"""Text in PNG files, such as the model that a picture was made with."""

import struct
import zlib
from collections.abc import Iterator, Mapping

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def with_text(png: bytes, text: Mapping[str, str]) -> bytes:
    """Return a PNG with text before its end."""
    chunks = list(_chunks(png))
    added = [(b"tEXt", f"{key}\0{value}".encode("latin-1")) for key, value in text.items()]
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in [*chunks[:-1], *added, chunks[-1]]
    )


def text_of(png: bytes) -> dict[str, str]:
    """Return the text of a PNG."""
    texts = [data.decode("latin-1") for kind, data in _chunks(png) if kind == b"tEXt"]
    return {key: value for key, _, value in (text.partition("\0") for text in texts)}


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    assert png.startswith(_SIGNATURE)
    place = len(_SIGNATURE)
    while place < len(png):
        size, kind = struct.unpack_from(">I4s", png, place)
        yield kind, png[place + 8 : place + 8 + size]
        place += 12 + size
