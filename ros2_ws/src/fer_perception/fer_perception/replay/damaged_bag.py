# SPDX-License-Identifier: Apache-2.0
"""Gets out of a damaged bag what is still there, record by record and without an index."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import zstandard
from mcap.exceptions import McapError
from mcap.records import Channel, Message, Schema
from mcap.stream_reader import StreamReader

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
    :ivar topics: by their name.
    """

    files: tuple[Path, ...]
    topics: dict[str, FoundTopic]

    @classmethod
    def read(cls, files: Sequence[Path]) -> SalvagedBag | None:
        """Look through ``files``; None when there is no message in them."""
        topics: dict[str, FoundTopic] = {}
        for file in files:
            for name, type_name, definition, _, _ in _records(file):
                before = topics.get(name)
                count = before.message_count if before else 0
                topics[name] = FoundTopic(type_name, definition, count + 1)
        return cls(tuple(files), topics) if topics else None

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
        reader = StreamReader(stream, record_size_limit=_MAX_RECORD_BYTES)
        try:
            for record in reader.records:
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


def _sqlite_records(file: Path) -> Iterator[_Record]:
    with closing(sqlite3.connect(f"file:{file.absolute()}?immutable=1", uri=True)) as database:
        try:
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
        last = -1
        rows = _sqlite_after(database, last)
        while rows is not None:
            try:
                row = rows.fetchone()
            except sqlite3.DatabaseError:
                rows = _sqlite_after(database, last)
                continue
            if row is None:
                return
            last = row[0]
            if row[1] in topics and isinstance(row[3], bytes):
                name, type_name = topics[row[1]]
                yield name, type_name, definitions.get(type_name, ""), row[2], row[3]


def _sqlite_definitions(database: sqlite3.Connection) -> dict[str, str]:
    try:
        query = "SELECT topic_type, encoded_message_definition FROM message_definitions"
        return dict(database.execute(query).fetchall())
    except sqlite3.DatabaseError:  # bags before Iron have none
        return {}


def _sqlite_after(database: sqlite3.Connection, last: int) -> sqlite3.Cursor | None:
    """Return the rows after row ``last``, or beyond a damaged place there; None without any."""
    for step in (0, *(2**power for power in range(16))):
        query = "SELECT id, topic_id, timestamp, data FROM messages WHERE id > ? ORDER BY id"
        try:
            if database.execute(f"{query} LIMIT 1", (last + step,)).fetchone() is not None:
                return database.execute(query, (last + step,))
        except sqlite3.DatabaseError:
            continue
        return None
    return None
