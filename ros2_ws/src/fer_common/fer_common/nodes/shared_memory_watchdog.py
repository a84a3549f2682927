# SPDX-License-Identifier: Apache-2.0
"""Detect that this process is unreachable through shared memory.

Fast DDS gives a process ports: files that other processes find by name and write into, each locked
by its reader. When a process is killed, its writers remove its ports, and may also remove the port
that its successor has just created. The successor then reads from an unlinked file and receives
nothing until it is restarted.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

LOOK_PERIOD_S = 2.0
"""Time between two checks, which take 1 to 2 ms each [s]."""

PATIENCE = 3
"""Consecutive checks that must find the same unlinked file: one that Fast DDS replaces, because
its reader was suspended for a while, is unlinked for less than that."""

_DELETED = " (deleted)"
_LOCK = re.compile(rf"(/dev/shm/fast(?:rtps|dds)_port\d+)_el(?:{re.escape(_DELETED)})?")


def nameless_ports() -> set[tuple[str, str]]:
    """Return the former name of each unlinked port, with its inode.

    :returns: empty without Fast DDS, without its shared memory, or without /proc.
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
    """Check the ports of this process at a fixed interval.

    :ivar reason: why this process must be restarted; empty while it is reachable.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._looked_s = -LOOK_PERIOD_S
        self._times: dict[tuple[str, str], int] = {}

    def is_cut_off(self) -> bool:
        """Return whether a port of this process stays unlinked."""
        now_s = time.monotonic()
        if not self.reason and now_s - self._looked_s >= LOOK_PERIOD_S:
            self._looked_s = now_s
            self._times = {port: self._times.get(port, 0) + 1 for port in nameless_ports()}
            lost = sorted(name for (name, _), times in self._times.items() if times >= PATIENCE)
            if lost:
                self.reason = (
                    "this process is unreachable: other processes have removed "
                    f"{', '.join(lost)}, its port in shared memory"
                )
        return bool(self.reason)
