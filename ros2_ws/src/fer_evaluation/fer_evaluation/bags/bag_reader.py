# SPDX-License-Identifier: Apache-2.0
"""Reads the messages of a rosbag2 bag, sqlite3 or mcap, as they were serialised."""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Iterator, Mapping, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol

import apsw
from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader, ReaderError

from .damaged_bag import SalvagedBag

# As rosbags does, whose decompressor it is.
if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STORAGE_SUFFIXES: Final = (".mcap", ".db3")
"""How the names of a bag's storage files end."""

# What rosbags raises on a bag that is not whole: its own error, and those of what it stands on.
_DAMAGE: Final = (
    ReaderError,
    apsw.Error,
    OSError,
    ValueError,
    EOFError,
    TypeError,
    AssertionError,
    LookupError,
    MemoryError,
    OverflowError,
    RuntimeError,
    struct.error,
    zstd.ZstdError,
)


class BagError(Exception):
    """A bag cannot be used; the message is one line that says why and what to do."""


@dataclass(frozen=True)
class BagTopic:
    """A topic of a bag.

    :ivar type_name: for example ``sensor_msgs/msg/Image``.
    :ivar message_count: its messages.
    :ivar definition: of its type as the bag holds it, in the ``.msg`` or ``.idl`` form; may be
        empty.
    """

    name: str
    type_name: str
    message_count: int
    definition: str = ""


@dataclass(frozen=True)
class BagMessage:
    """One message of a bag.

    :ivar stamp_ns: when it was recorded.
    :ivar data: serialised as CDR.
    """

    topic: str
    stamp_ns: int
    data: bytes


class BagReader(Protocol):
    """An open bag.

    :ivar topics: by their name.
    :ivar warnings: what could not be read; grows while the bag is read.
    """

    topics: Mapping[str, BagTopic]
    warnings: list[str]

    def messages(self, topics: Set[str]) -> Iterator[BagMessage]:
        """Yield the messages of ``topics``, in the order of their time."""
        ...

    def close(self) -> None:
        """Close the files."""
        ...


class _WholeBag:
    """A bag that rosbags can open.

    Where it turns out to be damaged further on, what lies around the damage is read.
    """

    def __init__(self, path: Path, files: list[Path]) -> None:
        self._files = tuple(files)
        self._reader = Reader(path)
        self._reader.open()
        self._connections: list[Connection] = list(self._reader.connections)
        self.warnings: list[str] = []
        topics: dict[str, BagTopic] = {}
        for connection in self._connections:
            # A topic stands there once for each publisher's QoS.
            before = topics.get(connection.topic)
            topics[connection.topic] = BagTopic(
                connection.topic,
                connection.msgtype,
                connection.msgcount + (before.message_count if before else 0),
                connection.msgdef.data,
            )
        self.topics: Mapping[str, BagTopic] = topics

    def messages(self, topics: Set[str]) -> Iterator[BagMessage]:
        wanted = [c for c in self._connections if c.topic in topics and c.msgcount]
        if not wanted:
            return
        count, last_ns = 0, -1
        reason = ""
        try:
            for connection, stamp_ns, data in self._reader.messages(wanted):
                yield BagMessage(connection.topic, stamp_ns, bytes(data))
                count, last_ns = count + 1, stamp_ns
        except _DAMAGE as error:
            reason = " ".join(str(error).split())
        if not reason:
            return
        # From here on without the index, and over what cannot be read.
        for name, stamp_ns, data in SalvagedBag(self._files).messages():
            if name in topics and stamp_ns > last_ns:
                yield BagMessage(name, stamp_ns, data)
                count += 1
        total = sum(connection.msgcount for connection in wanted)
        self.warnings.append(
            f"the bag is damaged ({reason}): {count} of {total} messages could be read"
        )

    def close(self) -> None:
        self._reader.close()


class OpenBag(AbstractContextManager[BagReader]):
    """Opens a bag for a ``with`` statement.

    One that is damaged, cut off, or without its index or ``metadata.yaml`` gives what can be
    read, and a warning.

    :param path: a bag's folder, or one ``.mcap`` or ``.db3`` file.
    :raises BagError: when there is no bag, or nothing of it can be read.
    """

    def __init__(self, path: Path) -> None:
        self._bag = _open(path)

    def __enter__(self) -> BagReader:
        """Return the open bag."""
        return self._bag

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self._bag.close()


def storage_files(path: Path) -> list[Path]:
    """Return the storage files of the bag at ``path``, in the order of their names.

    :raises BagError: when there are none.
    """
    if not path.exists():
        raise BagError(f"{path}: there is no such bag")
    if path.is_file():
        if path.suffix not in STORAGE_SUFFIXES:
            raise BagError(f"{path} is no bag: expected a folder, or a .mcap or .db3 file")
        return [path]
    files = [
        file
        for file in sorted(path.iterdir(), key=_numbers_as_numbers)
        if file.is_file() and any(suffix in file.suffixes for suffix in STORAGE_SUFFIXES)
    ]
    if not files:
        raise BagError(f"{path} is no bag: expected .mcap or .db3 files and metadata.yaml in it")
    return files


def _numbers_as_numbers(path: Path) -> list[tuple[int, str]]:
    """Sort bag_2 before bag_10: the parts of a bag that was split are numbered."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def is_bag(path: Path) -> bool:
    """Return whether ``path`` looks like a bag, whole or not."""
    try:
        return bool(storage_files(path))
    except BagError:
        return False


def _open(path: Path) -> BagReader:
    files = storage_files(path)
    try:
        return _WholeBag(path, files)
    except _DAMAGE as error:
        reason = " ".join(str(error).split())
    salvaged = SalvagedBag(tuple(files))
    found: dict[str, BagTopic] = {
        name: BagTopic(name, topic.type_name, topic.message_count, topic.definition)
        for name, topic in salvaged.topics().items()
    }
    if not found:
        raise BagError(f"{path} cannot be read: {reason}")
    count = sum(topic.message_count for topic in found.values())
    return _DamagedBag(
        salvaged,
        found,
        [f"the bag is not whole ({reason}): reading the {count} messages that are there"],
    )


class _DamagedBag:
    def __init__(
        self, salvaged: SalvagedBag, topics: Mapping[str, BagTopic], warnings: list[str]
    ) -> None:
        self._salvaged = salvaged
        self.topics = topics
        self.warnings = warnings

    def messages(self, topics: Set[str]) -> Iterator[BagMessage]:
        for name, stamp_ns, data in self._salvaged.messages():
            if name in topics:
                yield BagMessage(name, stamp_ns, data)

    def close(self) -> None:
        """Do nothing: no file is held open between two readings."""
