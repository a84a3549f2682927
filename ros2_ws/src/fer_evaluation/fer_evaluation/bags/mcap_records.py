# SPDX-License-Identifier: Apache-2.0
"""Read an mcap file record by record, around damaged chunks."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import zstandard
from mcap.exceptions import McapError
from mcap.records import Channel, Chunk, McapRecord, Message, Schema
from mcap.stream_reader import StreamReader, breakup_chunk

# Exceptions of the reader and its decompressors for truncated or overwritten files.
_DAMAGE: Final = (
    McapError,
    struct.error,
    ValueError,
    EOFError,
    RuntimeError,
    OverflowError,
    MemoryError,
    zstandard.ZstdError,
)
# A record that claims to be larger is damaged.
_MAX_RECORD_BYTES: Final = 2**30


def mcap_records(file: Path) -> Iterator[tuple[str, str, str, int, bytes]]:
    """Yield topic, type, definition, time [ns] and data of each message."""
    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    with file.open("rb") as stream:
        try:
            for record in _mcap_items(stream):
                if isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel):
                    channels[record.id] = record
                elif isinstance(record, Message) and record.channel_id in channels:
                    channel = channels[record.channel_id]
                    schema = schemas.get(channel.schema_id)
                    if schema is None or channel.message_encoding != "cdr":
                        continue
                    definition = schema.data.decode(errors="replace")
                    yield channel.topic, schema.name, definition, record.log_time, record.data
        except _DAMAGE:
            return  # only the part before the damage is readable


def _mcap_items(stream: BinaryIO) -> Iterator[McapRecord]:
    """Yield the records of a file without damaged chunks."""
    reader = StreamReader(stream, emit_chunks=True, record_size_limit=_MAX_RECORD_BYTES)
    for record in reader.records:
        if not isinstance(record, Chunk):
            yield record
            continue
        try:
            yield from breakup_chunk(record, validate_crc=True)
        except _DAMAGE:
            continue
