# SPDX-License-Identifier: Apache-2.0
"""Write all files of a run into a folder, or none."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Final

from fer_common.atomic_file import put_in_place
from fer_common.interruption import uninterrupted

from ..scoring.emotions_csv import EMOTIONS_FILE

METRICS_FILE: Final = "metrics.json"
REPORT_FILE: Final = "report.html"


class OutputFolder(AbstractContextManager["OutputFolder"]):
    """A folder whose files are renamed together after a successful run.

    They are written into ``FOLDER.part`` beside it. A failed or interrupted run leaves the folder
    unchanged, and the next one starts clean, also after a power loss. Other files in the folder
    are kept.

    :param folder: destination of the files; created if needed.
    :param overwrite: replace the report of an earlier run.
    :raises FileExistsError: when ``folder`` is a file, or holds an earlier report.
    """

    def __init__(self, folder: Path, overwrite: bool = False) -> None:
        self.folder = folder
        self._part = folder.with_name(folder.name + ".part")
        if folder.exists() and not folder.is_dir():
            raise FileExistsError(f"{folder} is a file: name a folder for the results")
        earlier = [
            name for name in (METRICS_FILE, REPORT_FILE, EMOTIONS_FILE) if (folder / name).exists()
        ]
        if earlier and not overwrite:
            raise FileExistsError(
                f"{folder / earlier[0]} is an earlier run's: name another folder for the results, "
                "or overwrite it: --overwrite of evaluate_bag, overwrite:=true of score_node"
            )

    def path(self, name: str) -> Path:
        """Return the path to write a file to."""
        return self._part / name

    def __enter__(self) -> OutputFolder:
        """Create an empty folder for the parts."""
        shutil.rmtree(self._part, ignore_errors=True)
        self._part.mkdir(parents=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Rename the files, or remove them after a failure."""
        with uninterrupted():
            try:
                if error is None:
                    self.folder.mkdir(parents=True, exist_ok=True)
                    for file in sorted(self._part.iterdir()):
                        put_in_place(file, self.folder / file.name)
            finally:
                shutil.rmtree(self._part, ignore_errors=True)
