# SPDX-License-Identifier: Apache-2.0
"""Read serialised messages of a rosbag2 bag, including damaged ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from rosbags.interfaces import Qos

from .bag_error import BagError
from .bag_metadata import METADATA_FILE, BagMetadata, read_metadata
from .staged_file import Staging
from .storage_formats import storage_files
from .storage_reader import StorageReader, StoredTopic

__all__ = ["BagError", "BagMessage", "BagTopic", "OpenBag"]


@dataclass(frozen=True)
class BagTopic:
    """A topic of a bag.

    :ivar type_name: for example ``sensor_msgs/msg/Image``.
    :ivar message_count: messages in the storage.
    :ivar definition: of its type as the bag holds it, in the ``.msg`` or ``.idl`` form; may be
        empty.
    :ivar qos: the profiles that its publishers offered, as far as the storage holds them.
    """

    name: str
    type_name: str
    message_count: int
    definition: str = ""
    qos: tuple[Qos, ...] = ()


@dataclass(frozen=True)
class BagMessage:
    """One message of a bag.

    :ivar stamp_ns: time of recording.
    :ivar data: serialised as CDR.
    """

    topic: str
    stamp_ns: int
    data: bytes


class OpenBag(AbstractContextManager["OpenBag"]):
    """An open bag, for a ``with`` statement.

    Topics, types and QoS come from the storage; ``metadata.yaml`` only gives the order of the
    files and the expected counts. Of a bag that is damaged, truncated, or without its index or
    ``metadata.yaml``, the readable part is used, with a warning. Nothing is written into its
    folder: what cannot be read in place is read from a temporary copy, which ``close`` removes.

    :param path: a bag's folder, or one storage file.
    :ivar topics: by name.
    :ivar files: all files that are read, with SQLite's logs.
    :ivar warnings: what cannot be read; grows while messages are read.
    :raises BagError: when the bag is missing or unreadable.
    """

    def __init__(self, path: Path) -> None:
        self._own_warnings: list[str] = []
        self._readers: list[StorageReader] = []
        self._staging = Staging()
        parts: list[Path] = []
        try:
            files, metadata = self._files(path)
            for file in files:
                staged = self._staging.stage(file)
                parts += staged.parts
                self._readers.append(StorageReader(staged))
            self.topics: Mapping[str, BagTopic] = self._merged_topics()
        except BaseException:
            self.close()
            raise
        self.files = tuple(parts)
        if not self.topics:
            self.close()
            reasons = "; ".join(self.warnings) or "it has no topics"
            raise BagError(f"{path} cannot be read: {reasons}")
        if metadata is not None:
            self._compare_counts(metadata)

    @property
    def warnings(self) -> list[str]:
        """Unreadable parts found so far."""
        return [*self._own_warnings, *(w for reader in self._readers for w in reader.warnings)]

    def messages(self, topics: Set[str]) -> Iterator[BagMessage]:
        """Yield the messages of ``topics`` in the order of their time."""
        for reader in self._readers:
            for record in reader.messages(topics):
                if record.type_name == self.topics[record.topic].type_name:
                    yield BagMessage(record.topic, record.stamp_ns, record.data)

    def close(self) -> None:
        """Close the files and remove temporary copies."""
        for reader in self._readers:
            reader.close()
        self._staging.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the bag."""
        self.close()

    def _files(self, path: Path) -> tuple[list[Path], BagMetadata | None]:
        """Return the storage files in order, and the metadata."""
        files = storage_files(path)
        if path.is_file():
            return files, None
        try:
            metadata = read_metadata(path)
        except FileNotFoundError:
            self._own_warnings.append(f"the recording was not finished: it has no {METADATA_FILE}")
            return files, None
        except ValueError as error:
            self._own_warnings.append(str(error))
            return files, None
        by_name = {file.name: file for file in files}
        missing = [name for name in metadata.files if name not in by_name]
        if missing:
            # Renamed or lost: read all that is there.
            self._own_warnings.append(
                f"{METADATA_FILE} names {', '.join(missing)}, which is not there: reading "
                f"{', '.join(by_name)}"
            )
            return files, metadata
        extra = [name for name in by_name if name not in metadata.files]
        if extra and metadata.files:
            self._own_warnings.append(
                f"{', '.join(extra)} is not read: {METADATA_FILE} does not name it"
            )
        return [by_name[name] for name in metadata.files] or files, metadata

    def _merged_topics(self) -> dict[str, BagTopic]:
        """Return the topics of all files; a topic keeps its first type."""
        topics: dict[str, BagTopic] = {}
        for reader in self._readers:
            for name, stored in reader.topics.items():
                topics[name] = self._merge(name, topics.get(name), stored)
        return topics

    def _merge(self, name: str, known: BagTopic | None, stored: StoredTopic) -> BagTopic:
        if known is None:
            return BagTopic(
                name, stored.type_name, stored.message_count, stored.definition, stored.qos
            )
        if known.type_name != stored.type_name:
            self._own_warnings.append(
                f"{name} has two types: its {stored.message_count} messages of "
                f"{stored.type_name} are left out"
            )
            return known
        return replace(
            known,
            message_count=known.message_count + stored.message_count,
            definition=known.definition or stored.definition,
            qos=tuple(dict.fromkeys((*known.qos, *stored.qos))),
        )

    def _compare_counts(self, metadata: BagMetadata) -> None:
        for name in sorted(metadata.message_counts.keys() | self.topics.keys()):
            promised = metadata.message_counts.get(name, 0)
            stored = self.topics[name].message_count if name in self.topics else 0
            if promised != stored:
                self._own_warnings.append(
                    f"{name}: the storage holds {stored} messages, {METADATA_FILE} promises "
                    f"{promised}"
                )
