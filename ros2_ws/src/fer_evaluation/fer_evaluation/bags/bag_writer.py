# SPDX-License-Identifier: Apache-2.0
"""Writes a rosbag2 bag: there whole, or not at all."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode

from fer_common.atomic_file import put_in_place

from .bag_reader import BagError
from .message_types import MessageTypes

STORAGES: Final = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}
"""Storage plug-ins by the name that ``ros2 bag`` gives them."""

_BAG_VERSION: Final = 8
"""Of the metadata that Jazzy writes and reads."""


class BagWriter(AbstractContextManager["BagWriter"]):
    """A new bag. It is written beside its place, and moved there when it is complete.

    :param path: the bag's folder, which must not exist.
    :param storage: one of :data:`STORAGES`.
    :param compressed: compress with zstd; mcap only.
    :param keep_incomplete: what cannot be repeated, such as a recording, is put in its place
        also after a failure: without its index, but :mod:`.bag_reader` reads what is there. Only
        mcap keeps something; sqlite3 takes it back.
    :raises BagError: when there is something at ``path`` already, or, from any method, when the
        bag cannot be written.
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
            raise BagError(f"{path} is there already: choose another name, or remove it")
        if compressed and storage != "mcap":
            raise BagError(f"zstd is for mcap only, not for {storage}")
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

    def add_topic(self, name: str, type_name: str) -> None:
        """Declare a topic.

        :raises BagError: when its type is unknown.
        """
        if type_name not in self._types.typestore.fielddefs:
            raise BagError(f"{name}: type {type_name} is unknown, it cannot be written")
        self._connections[name] = self._writer.add_connection(
            name, type_name, typestore=self._types.typestore
        )

    def write(self, topic: str, stamp_ns: int, data: bytes) -> None:
        """Write a message that is serialised as CDR."""
        with self._told_as_bag_error():
            self._writer.write(self._connections[topic], stamp_ns, data)

    def write_message(self, topic: str, stamp_ns: int, message: object) -> None:
        """Serialise a message, of rosbags' classes or of ROS's, and write it."""
        self.write(topic, stamp_ns, self._types.write(message, self._connections[topic].msgtype))

    def __enter__(self) -> BagWriter:
        """Begin to write."""
        with self._told_as_bag_error():
            self._writer.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Put the bag in its place, or drop it after a failure."""
        is_whole = False
        try:
            if error is None:
                with self._told_as_bag_error():
                    self._writer.close()
                    put_in_place(self._beside / self._path.name, self._path)
                is_whole = True
        finally:
            if not is_whole:
                self._give_up()
            shutil.rmtree(self._beside, ignore_errors=True)

    def _give_up(self) -> None:
        with suppress(Exception):  # what went wrong is told already
            self._writer.abort()
        if self._keep_incomplete:
            with suppress(OSError):
                put_in_place(self._beside / self._path.name, self._path)

    @contextmanager
    def _told_as_bag_error(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise BagError(f"{self._path} cannot be written: {error}") from error
