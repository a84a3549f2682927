# SPDX-License-Identifier: Apache-2.0
"""Gets out of a damaged bag what is still there, record by record and without an index."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import zstandard
from mcap.exceptions import McapError
from mcap.records import Channel, Chunk, McapRecord, Message, Schema
from mcap.stream_reader import StreamReader, breakup_chunk

# What a cut-off or overwritten file makes the MCAP reader and its decompressors raise.
_MCAP_DAMAGE: Final = (
    McapError,
    struct.error,
    ValueError,
    EOFError,
    RuntimeError,
    OverflowError,
    MemoryError,
    zstandard.ZstdError,
)
# A record that claims to be larger is damage.
_MAX_RECORD_BYTES: Final = 2**30

# Rows that are skipped at most to get over a damaged place.
_LONGEST_HOLE: Final = 1 << 14

RawMessage = tuple[str, int, bytes]
"""Topic, time of recording in nanoseconds, CDR."""


@dataclass(frozen=True)
class FoundTopic:
    """A topic of which messages were found."""

    type_name: str
    definition: str
    message_count: int


@dataclass(frozen=True)
class SalvagedBag:
    """What is left of a bag.

    :ivar files: its storage files.
    """

    files: tuple[Path, ...]

    def topics(self) -> dict[str, FoundTopic]:
        """Look through the files and return the topics of which there are messages, by name."""
        topics: dict[str, FoundTopic] = {}
        for file in self.files:
            for name, type_name, definition, _, _ in _records(file):
                before = topics.get(name)
                count = before.message_count if before else 0
                topics[name] = FoundTopic(type_name, definition, count + 1)
        return topics

    def messages(self) -> Iterator[RawMessage]:
        """Yield the messages in the order in which they were written."""
        for file in self.files:
            for name, _, _, stamp_ns, data in _records(file):
                yield name, stamp_ns, data


_Record = tuple[str, str, str, int, bytes]


def _records(file: Path) -> Iterator[_Record]:
    """Yield topic, type, definition, time and data of each message, until the damage."""
    if ".mcap" in file.suffixes:
        yield from _mcap_records(file)
    elif ".db3" in file.suffixes:
        yield from _sqlite_records(file)


def _mcap_records(file: Path) -> Iterator[_Record]:
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
        except _MCAP_DAMAGE:
            return  # what came before is what there is


def _mcap_items(stream: BinaryIO) -> Iterator[McapRecord]:
    """Yield the records of a file; chunks that are damaged inside are left out."""
    reader = StreamReader(stream, emit_chunks=True, record_size_limit=_MAX_RECORD_BYTES)
    for record in reader.records:
        if not isinstance(record, Chunk):
            yield record
            continue
        try:
            yield from breakup_chunk(record, validate_crc=True)
        except _MCAP_DAMAGE:
            continue


def _sqlite_records(file: Path) -> Iterator[_Record]:
    with closing(sqlite3.connect(f"file:{file.absolute()}?immutable=1", uri=True)) as database:
        try:
            # Nothing is written: this lets SQLite read a file that is shorter than it says.
            database.execute("PRAGMA writable_schema = ON")
            topics = {
                number: (name, type_name)
                for number, name, type_name in database.execute(
                    "SELECT id, name, type FROM topics"
                )
            }
        except sqlite3.DatabaseError:
            return
        definitions = _sqlite_definitions(database)
        # By number, not by time: that needs no index, which may be what is damaged.
        row = _sqlite_row_after(database, -1)
        while row is not None:
            number, topic, stamp_ns, data = row
            if topic in topics and isinstance(data, bytes):
                name, type_name = topics[topic]
                yield name, type_name, definitions.get(type_name, ""), stamp_ns, data
            row = _sqlite_row_after(database, number)


def _sqlite_definitions(database: sqlite3.Connection) -> dict[str, str]:
    try:
        query = "SELECT topic_type, encoded_message_definition FROM message_definitions"
        return dict(database.execute(query).fetchall())
    except sqlite3.DatabaseError:  # bags before Iron have none
        return {}


def _sqlite_row_after(
    database: sqlite3.Connection, number: int
) -> tuple[int, int, int, object] | None:
    """Return the row after row ``number``, or beyond a damaged place there; None without any."""
    query = "SELECT id, topic_id, timestamp, data FROM messages WHERE id > ? ORDER BY id LIMIT 1"
    for step in (0, *(2**power for power in range(_LONGEST_HOLE.bit_length()))):
        try:
            row: tuple[int, int, int, object] | None
            row = database.execute(query, (number + step,)).fetchone()
        except sqlite3.DatabaseError:
            continue
        # A damaged tree of pages can lead back to where we have been.
        return row if row is not None and row[0] > number else None
    return None
