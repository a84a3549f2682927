# SPDX-License-Identifier: Apache-2.0
"""Writes a rosbag2 bag: there whole, or not at all."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Final

from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode

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
    :raises BagError: when there is something at ``path`` already.
    """

    def __init__(
        self, path: Path, types: MessageTypes, storage: str = "mcap", compressed: bool = False
    ) -> None:
        if path.exists():
            raise BagError(f"{path} is there already: choose another name, or remove it")
        if compressed and storage != "mcap":
            raise BagError(f"zstd is for mcap only, not for {storage}")
        self._path = path
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
        self._writer.write(self._connections[topic], stamp_ns, data)

    def write_message(self, topic: str, stamp_ns: int, message: object) -> None:
        """Serialise a message, of rosbags' classes or of ROS's, and write it."""
        self.write(topic, stamp_ns, self._types.write(message, self._connections[topic].msgtype))

    def __enter__(self) -> BagWriter:
        """Begin to write."""
        self._writer.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Put the bag in its place, or drop it after a failure."""
        try:
            if error is None:
                self._writer.close()
                (self._beside / self._path.name).replace(self._path)
        finally:
            shutil.rmtree(self._beside, ignore_errors=True)
