# SPDX-License-Identifier: Apache-2.0
"""Read one storage file by its index, or record by record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Final, cast

from rosbags.interfaces import Connection, ConnectionExtRosbag2, Qos
from rosbags.rosbag2 import Reader

from .bag_error import BagError
from .staged_file import StagedFile
from .storage_formats import ZSTD_MAGIC, StorageFormat, decompress_message
from .storage_records import Record, StorageRecords

_SERIALIZATION: Final = "cdr"


@dataclass(frozen=True)
class StoredTopic:
    """A topic of one storage file.

    :ivar type_name: for example ``sensor_msgs/msg/Image``.
    :ivar definition: of its type, in the ``.msg`` or ``.idl`` form; may be empty.
    :ivar message_count: by the file's index, or counted where it has none.
    :ivar qos: the profiles that its publishers offered.
    """

    type_name: str
    definition: str
    message_count: int
    qos: tuple[Qos, ...] = ()


class StorageReader:
    """An open storage file.

    :ivar topics: by name; a topic keeps the first type that is found.
    :ivar warnings: unreadable parts; grows while messages are read.
    """

    def __init__(self, file: StagedFile) -> None:
        self._file = file
        self._name = file.original.name
        self._reader: Reader | None = None
        self._records: StorageRecords | None = None
        self.warnings: list[str] = [file.warning] if file.warning else []
        self.topics: Mapping[str, StoredTopic] = {}
        try:
            reader = Reader(file.path)
            reader.open()
        except Exception as error:  # rosbags raises anything on a damaged file
            self.topics = self._found_topics()
            count = sum(topic.message_count for topic in self.topics.values())
            state = f"reading the {count} messages that are there" if count else "nothing is left"
            self.warnings.append(f"{self._name} is not whole ({self._said(error)}): {state}")
            return
        self._reader = reader
        self.topics = self._indexed_topics(reader)

    def close(self) -> None:
        """Close the file."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def messages(self, topics: Set[str]) -> Iterator[Record]:
        """Yield the messages of ``topics`` in the order of their time."""
        wanted = topics & self.topics.keys()
        if not wanted:
            return
        broken = 0
        for record in self._stored(wanted):
            if not record.data.startswith(ZSTD_MAGIC):  # CDR never begins like that
                yield record
                continue
            try:
                yield record._replace(data=decompress_message(record.data))
            except BagError:
                broken += 1
        if broken:
            self.warnings.append(f"{self._name}: {broken} messages cannot be decompressed")

    def _stored(self, wanted: Set[str]) -> Iterator[Record]:
        if self._reader is None:
            yield from self._scanned().messages(wanted)
            return
        connections = [
            connection
            for connection in self._connections(self._reader)
            if connection.topic in wanted
            and connection.msgtype == self.topics[connection.topic].type_name
        ]
        total = sum(self.topics[name].message_count for name in wanted)
        count, last_ns, reason = 0, -1, ""
        # Messages of the newest time, which reading on after a failure must not repeat.
        newest: Counter[str] = Counter()
        if self._has_index(self._reader):
            try:
                for connection, stamp_ns, data in self._reader.messages(connections):
                    yield Record(connection.topic, connection.msgtype, "", stamp_ns, bytes(data))
                    count += 1
                    if stamp_ns > last_ns:
                        last_ns = stamp_ns
                        newest.clear()
                    newest[connection.topic] += 1
            except Exception as error:  # see above
                reason = self._said(error)
        if reason or not self._has_index(self._reader):
            for record in self._scanned().messages(wanted):
                if record.stamp_ns < last_ns:
                    continue
                if record.stamp_ns == last_ns and newest[record.topic]:
                    newest[record.topic] -= 1
                    continue
                yield record
                count += 1
        if reason or count < total:
            because = f" ({reason})" if reason else ""
            self.warnings.append(
                f"{self._name} is damaged{because}: {count} of {total} messages could be read"
            )

    def _said(self, error: Exception) -> str:
        """Return an error in one line that names the user's file."""
        text = " ".join(str(error).split()) or type(error).__name__
        if self._file.path == self._file.original:
            return text
        for ours in (str(self._file.path), self._file.path.name):
            text = text.replace(ours, self._name)
        return text

    def _scanned(self) -> StorageRecords:
        if self._records is None:
            self._records = StorageRecords(self._file.path, self._file.format)
        return self._records

    def _found_topics(self) -> dict[str, StoredTopic]:
        return {
            name: StoredTopic(topic.type_name, topic.definition, topic.message_count)
            for name, topic in self._scanned().topics.items()
        }

    def _indexed_topics(self, reader: Reader) -> dict[str, StoredTopic]:
        topics: dict[str, StoredTopic] = {}
        for connection in self._connections(reader):
            known = topics.get(connection.topic)
            if known is not None and known.type_name != connection.msgtype:
                self.warnings.append(
                    f"{connection.topic} has two types: its {connection.msgcount} messages of "
                    f"{connection.msgtype} are left out"
                )
                continue
            offered = cast(ConnectionExtRosbag2, connection.ext).offered_qos_profiles
            topics[connection.topic] = StoredTopic(
                connection.msgtype,
                connection.msgdef.data,
                connection.msgcount + (known.message_count if known else 0),
                tuple(dict.fromkeys((*(known.qos if known else ()), *offered))),
            )
        return topics

    def _connections(self, reader: Reader) -> list[Connection]:
        return [
            connection
            for connection in reader.connections
            if cast(ConnectionExtRosbag2, connection.ext).serialization_format == _SERIALIZATION
        ]

    def _has_index(self, reader: Reader) -> bool:
        """Return whether messages can be read in the order of time."""
        return self._file.format is StorageFormat.SQLITE3 or bool(
            getattr(reader.storage, "chunks", ())
        )
