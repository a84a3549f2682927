# SPDX-License-Identifier: Apache-2.0
"""Results on disk: all of a run or nothing of it."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from fer_common.atomic_file import put_in_place


class OutputFolder(AbstractContextManager["OutputFolder"]):
    """A folder whose files appear at once, when the run has ended well.

    They are written beside, into ``FOLDER.part``. A run that fails or is interrupted leaves the
    folder as it was, and the next one starts clean, also after a loss of power. Files of other
    names that are in the folder stay.

    :param folder: where the files shall be; made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._part = folder.with_name(folder.name + ".part")
        if folder.exists() and not folder.is_dir():
            raise FileExistsError(f"{folder} is a file: --out must name a folder")

    def path(self, name: str) -> Path:
        """Return where to write a file."""
        return self._part / name

    def __enter__(self) -> OutputFolder:
        """Begin clean."""
        shutil.rmtree(self._part, ignore_errors=True)
        self._part.mkdir(parents=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Put the files in place, or drop them after a failure."""
        if error is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            for file in sorted(self._part.iterdir()):
                put_in_place(file, self.folder / file.name)
        shutil.rmtree(self._part, ignore_errors=True)
