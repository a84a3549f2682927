# SPDX-License-Identifier: Apache-2.0
"""Detects that this process can no longer be reached through shared memory.

Fast DDS gives a process ports: files that others find by their names and write into, each with a
lock of its reader. When a process is killed, those that wrote to it remove its ports, and may
remove the one that its successor has just made. The successor then reads from a file without a
name and receives nothing until it is started again.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

LOOK_PERIOD_S = 2.0
"""Time between two looks, of 1 to 2 ms each [s]."""

PATIENCE = 3
"""Looks in a row that must find the same file without a name: one that Fast DDS replaces, because
its reader was suspended for a while, is without one for less than that."""

_DELETED = " (deleted)"
_LOCK = re.compile(rf"(/dev/shm/fast(?:rtps|dds)_port\d+)_el(?:{re.escape(_DELETED)})?")


def nameless_ports() -> set[tuple[str, str]]:
    """Return the names that ports of this process had, each with the inode of its file.

    :returns: nothing without Fast DDS, without its shared memory, or without /proc.
    """
    ports = set()
    with suppress(OSError):
        for file in Path("/proc/self/fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                lock = _LOCK.fullmatch(str(file.readlink()))
                if lock:
                    ports.add(lock[1] + _DELETED)
    found = set()
    if ports:
        with suppress(OSError), Path("/proc/self/maps").open(errors="replace") as maps:
            for line in maps:
                mapping = line.rstrip("\n")
                if mapping.endswith(_DELETED):
                    *_, inode, path = mapping.split(maxsplit=5)
                    if path in ports:
                        found.add((path.removesuffix(_DELETED), inode))
    return found


class SharedMemoryWatchdog:
    """Looks once in a while, however often it is asked.

    :ivar reason: why this process must be started again; empty while it can be reached.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._looked_s = -LOOK_PERIOD_S
        self._times: dict[tuple[str, str], int] = {}

    def is_cut_off(self) -> bool:
        """Return whether a port of this process has had no name for some time."""
        now_s = time.monotonic()
        if not self.reason and now_s - self._looked_s >= LOOK_PERIOD_S:
            self._looked_s = now_s
            self._times = {port: self._times.get(port, 0) + 1 for port in nameless_ports()}
            lost = sorted(name for (name, _), times in self._times.items() if times >= PATIENCE)
            if lost:
                self.reason = (
                    "this process cannot be reached any more: others have removed "
                    f"{', '.join(lost)}, where it listens"
                )
        return bool(self.reason)
