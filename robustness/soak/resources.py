# SPDX-License-Identifier: Apache-2.0
"""Resources of a process (Linux)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


def resident_kib(pid: int | str = "self") -> int:
    """Return the resident memory of a process [KiB]."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_KIB


@dataclass(frozen=True)
class Resources:
    """Resources held by one process.

    :ivar private_kib: private memory [KiB].
    :ivar shared_kib: memory shared with others: libraries, and the segments in which Fast DDS
        passes images [KiB].
    :ivar files: open file descriptors.
    :ivar threads: threads.
    """

    private_kib: int
    shared_kib: int
    files: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> Resources:
        """Read the resources of a process.

        :raises FileNotFoundError: when the process has ended.
        """
        folder = Path(f"/proc/{pid}")
        _, resident, shared, *_ = map(int, (folder / "statm").read_text().split())
        return cls(
            _PAGE_KIB * (resident - shared),
            _PAGE_KIB * shared,
            len(list((folder / "fd").iterdir())),
            len(list((folder / "task").iterdir())),
        )
