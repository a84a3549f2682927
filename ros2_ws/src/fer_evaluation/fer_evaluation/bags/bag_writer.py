# SPDX-License-Identifier: Apache-2.0
"""Write a rosbag2 bag completely or not at all."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from rosbags.interfaces import Connection, Qos
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode

from fer_common.atomic_file import put_in_place

from .bag_error import BagError
from .message_types import MessageTypes
from .storage_formats import storage_files

STORAGES: Final = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}
"""Storage plug-ins by the name that ``ros2 bag`` gives them."""

# Of the metadata that Jazzy writes and reads.
_BAG_VERSION: Final = 8
# rosbags opens the database by a URI in which these are not part of the path.
_REFUSED_BY_SQLITE: Final = "#?%"


class BagWriter(AbstractContextManager["BagWriter"]):
    """Write a bag to a temporary path and rename it when complete.

    :param path: the bag's folder, which must not exist.
    :param storage: one of :data:`STORAGES`.
    :param compressed: compress with zstd; mcap only.
    :param keep_incomplete: after a failure, also put an incomplete bag in its place, for what
        cannot be repeated, such as a recording. It lacks its index, but :mod:`.bag_reader` reads
        it. Only mcap keeps something; sqlite3 rolls back.
    :raises BagError: when ``path`` exists or cannot be written with this storage, or, from any
        method, when writing fails.
    """

    def __init__(
        self,
        path: Path,
        types: MessageTypes,
        storage: str = "mcap",
        compressed: bool = False,
        keep_incomplete: bool = False,
    ) -> None:
        if path.exists():
            raise BagError(f"{path} exists already: choose another name, or remove it")
        refused = sorted(set(_REFUSED_BY_SQLITE) & set(str(path.absolute())))
        if storage == "sqlite3" and refused:
            raise BagError(
                f"{path} holds {' and '.join(refused)}, which sqlite3 storage cannot have in its "
                "path: choose another name, or mcap storage"
            )
        if compressed and storage != "mcap":
            raise BagError(
                f"{storage} storage cannot be compressed: choose mcap, or no compression"
            )
        self._path = path
        self._keep_incomplete = keep_incomplete
        self._types = types
        # The name of the folder becomes that of the file in it.
        self._beside = path.with_name(f".{path.name}.part")
        shutil.rmtree(self._beside, ignore_errors=True)
        self._writer = Writer(
            self._beside / path.name, version=_BAG_VERSION, storage_plugin=STORAGES[storage]
        )
        if compressed:
            self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        self._connections: dict[str, Connection] = {}

    def add_topic(self, name: str, type_name: str, qos: Sequence[Qos] = ()) -> None:
        """Declare a topic.

        :param qos: the profiles that its publishers offer.
        :raises BagError: when its type is unknown.
        """
        if type_name not in self._types.typestore.fielddefs:
            raise BagError(f"{name} cannot be written: its type {type_name} is unknown")
        self._connections[name] = self._writer.add_connection(
            name, type_name, typestore=self._types.typestore, offered_qos_profiles=qos
        )

    def write(self, topic: str, stamp_ns: int, data: bytes) -> None:
        """Write a message that is serialised as CDR."""
        with self._as_bag_error():
            self._writer.write(self._connections[topic], stamp_ns, data)

    def write_message(self, topic: str, stamp_ns: int, message: object) -> None:
        """Serialise a message, of rosbags' classes or of ROS's, and write it."""
        self.write(topic, stamp_ns, self._types.write(message, self._connections[topic].msgtype))

    def __enter__(self) -> BagWriter:
        """Create the incomplete bag."""
        try:
            with self._as_bag_error():
                self._writer.open()
        except BaseException:  # including an interruption
            shutil.rmtree(self._beside, ignore_errors=True)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Move the bag to its place, or drop it after a failure."""
        is_whole = False
        try:
            if error is None:
                with self._as_bag_error():
                    self._writer.close()
                    self._check_storage()
                    put_in_place(self._beside / self._path.name, self._path)
                is_whole = True
        finally:
            if not is_whole:
                self._give_up()
            shutil.rmtree(self._beside, ignore_errors=True)

    def discard(self) -> None:
        """Drop the bag; nothing of it stays."""
        with suppress(Exception):  # nothing of it is needed
            self._writer.abort()
        shutil.rmtree(self._beside, ignore_errors=True)

    def _check_storage(self) -> None:
        """Check that the storage file exists at its expected path."""
        storage_files(self._beside / self._path.name)

    def _give_up(self) -> None:
        with suppress(Exception):  # the first failure is being raised
            self._writer.abort()
        if self._keep_incomplete:
            with suppress(OSError):
                put_in_place(self._beside / self._path.name, self._path)

    @contextmanager
    def _as_bag_error(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise BagError(f"{self._path} cannot be written: {error}") from error
