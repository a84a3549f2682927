# SPDX-License-Identifier: Apache-2.0
"""Private copies of storage files that cannot be read in place."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from .bag_error import BagError
from .storage_formats import StorageFormat, decompress_file, is_zstd, storage_format

# SQLite's write-ahead log and its rollback journal: messages that the main file lacks, or must
# lose again because their transaction was not finished.
_SQLITE_LOGS: Final = ("-wal", "-journal")
_SPECIAL_IN_URI: Final = frozenset("#?%")


@dataclass(frozen=True)
class StagedFile:
    """A storage file in a place and form that readers can open.

    :ivar path: what to open; ``original`` itself, or in a temporary folder.
    :ivar original: the file in the bag.
    :ivar format: the storage's format.
    :ivar parts: the files in the bag that ``path`` was made from.
    :ivar warning: a warning for the user; may be empty.
    """

    path: Path
    original: Path
    format: StorageFormat
    parts: tuple[Path, ...]
    warning: str = ""


class Staging:
    """A temporary folder for private copies, created on first use."""

    def __init__(self) -> None:
        self._folder: TemporaryDirectory[str] | None = None
        self._count = 0

    def close(self) -> None:
        """Remove all copies."""
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()

    def stage(self, file: Path) -> StagedFile:
        """Return ``file``, or a private copy where needed.

        :raises BagError: when the disk has no room for the copy.
        """
        form = storage_format(file)
        if form is None:
            raise BagError(f"{file} is neither mcap nor sqlite3")
        try:
            if is_zstd(file):
                return self._decompressed(file, form)
            logs = _logs_of(file) if form is StorageFormat.SQLITE3 else ()
            if logs:
                return self._with_logs(file, logs)
            if file.suffix != form.value or _SPECIAL_IN_URI & set(str(file.absolute())):
                return self._linked(file, form)
        except (OSError, sqlite3.OperationalError) as error:
            raise BagError(
                f"{file} needs a private copy, which cannot be made: {error}; TMPDIR names the "
                "folder for it"
            ) from error
        return StagedFile(file, file, form, (file,))

    def _decompressed(self, file: Path, form: StorageFormat) -> StagedFile:
        target = self._new_path(form)
        damage = decompress_file(file, target)
        warning = f"{file.name} cannot be decompressed whole: {damage}" if damage else ""
        return StagedFile(target, file, form, (file,), warning)

    def _with_logs(self, file: Path, logs: tuple[Path, ...]) -> StagedFile:
        target = self._new_path(StorageFormat.SQLITE3)
        shutil.copyfile(file, target)
        for log in logs:
            shutil.copyfile(log, f"{target}{log.name.removeprefix(file.name)}")
        named = " and ".join(log.name for log in logs)
        warning = f"the recorder did not close {file.name}: it is read together with {named}"
        try:
            with closing(sqlite3.connect(target)) as database:
                # Apply the log to the file, or roll an unfinished transaction back.
                database.execute("PRAGMA journal_mode = DELETE")
                database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            warning = f"{named} cannot be applied to {file.name}: {error}"
        return StagedFile(target, file, StorageFormat.SQLITE3, (file, *logs), warning)

    def _linked(self, file: Path, form: StorageFormat) -> StagedFile:
        """Link the file to a name without special characters."""
        target = self._new_path(form)
        target.symlink_to(file.absolute())
        return StagedFile(target, file, form, (file,))

    def _new_path(self, form: StorageFormat) -> Path:
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="fer_bag_")
        self._count += 1
        return Path(self._folder.name, f"storage_{self._count}{form.value}")


def _logs_of(file: Path) -> tuple[Path, ...]:
    logs = (file.with_name(file.name + suffix) for suffix in _SQLITE_LOGS)
    return tuple(log for log in logs if log.is_file() and log.stat().st_size)
