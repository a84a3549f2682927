# SPDX-License-Identifier: Apache-2.0
"""Read a storage file record by record, skipping damaged places."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Set
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from .bag_error import BagError
from .storage_formats import StorageFormat

# Maximum number of rows to skip at a damaged place.
_LONGEST_HOLE: Final = 1 << 14


class Record(NamedTuple):
    """A recorded message.

    :ivar definition: of its type, in the ``.msg`` or ``.idl`` form; may be empty.
    :ivar stamp_ns: time of recording.
    :ivar data: serialised as CDR.
    """

    topic: str
    type_name: str
    definition: str
    stamp_ns: int
    data: bytes


@dataclass
class RecordedTopic:
    """A topic with the messages found of it."""

    type_name: str
    definition: str
    message_count: int = 0


class StorageRecords:
    """The records of one storage file.

    :ivar topics: by name; a topic keeps the first type that is found.
    :ivar in_order: whether the records lie in the order of their time.
    """

    def __init__(self, path: Path, form: StorageFormat) -> None:
        self._path, self._format = path, form
        self.topics: dict[str, RecordedTopic] = {}
        self.in_order = True
        last_ns = 0
        for record in self._records():
            topic = self.topics.setdefault(
                record.topic, RecordedTopic(record.type_name, record.definition)
            )
            topic.message_count += record.type_name == topic.type_name
            self.in_order &= record.stamp_ns >= last_ns
            last_ns = record.stamp_ns

    def messages(self, topics: Set[str]) -> Iterator[Record]:
        """Yield the records of ``topics`` in the order of their time."""
        wanted = (
            record
            for record in self._records()
            if record.topic in topics and record.type_name == self.topics[record.topic].type_name
        )
        yield from wanted if self.in_order else _in_time_order(wanted)

    def _records(self) -> Iterator[Record]:
        if self._format is StorageFormat.MCAP:
            return _mcap_records(self._path)
        return _sqlite_records(self._path)


def _in_time_order(records: Iterable[Record]) -> Iterator[Record]:
    """Sort records on disk, since images may not fit into memory.

    :raises BagError: when the disk has no room for it.
    """
    # SQLite keeps a database without a name in a temporary file that no one else sees.
    with closing(sqlite3.connect("")) as database:
        try:
            database.execute("CREATE TABLE records(topic, type, definition, stamp_ns, data)")
            database.executemany("INSERT INTO records VALUES(?, ?, ?, ?, ?)", records)
            database.execute("CREATE INDEX by_time ON records(stamp_ns)")
            for row in database.execute("SELECT * FROM records ORDER BY stamp_ns, rowid"):
                yield Record(*row)
        except sqlite3.OperationalError as error:
            raise BagError(
                f"messages out of order cannot be sorted: {error}; TMPDIR names the folder for it"
            ) from error


def _mcap_records(file: Path) -> Iterator[Record]:
    try:
        from .mcap_records import mcap_records
    except ImportError as error:
        raise BagError(
            f"{file} has no index that can be read, and reading it without needs the Python "
            f"package mcap ({error}): pip install mcap"
        ) from error
    for topic, type_name, definition, stamp_ns, data in mcap_records(file):
        yield Record(topic, type_name, definition, stamp_ns, data)


def _sqlite_records(file: Path) -> Iterator[Record]:
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?immutable=1", uri=True)) as database:
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
        # By number, not by time: that works without the index, which may be damaged.
        row = _sqlite_row_after(database, -1)
        while row is not None:
            number, topic, stamp_ns, data = row
            if topic in topics and isinstance(data, bytes):
                name, type_name = topics[topic]
                definition = definitions.get(type_name, "")
                yield Record(name, type_name, definition, stamp_ns, data)
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
    """Return the next row, after any damage; None at the end."""
    query = "SELECT id, topic_id, timestamp, data FROM messages WHERE id > ? ORDER BY id LIMIT 1"
    for step in (0, *(2**power for power in range(_LONGEST_HOLE.bit_length()))):
        try:
            row: tuple[int, int, int, object] | None
            row = database.execute(query, (number + step,)).fetchone()
        except sqlite3.DatabaseError:
            continue
        # A damaged tree of pages can lead back to rows that were read before.
        return row if row is not None and row[0] > number else None
    return None
