# SPDX-License-Identifier: Apache-2.0
"""CPU time and memory of a process (Linux)."""

import os
from pathlib import Path

from robustness.soak.resources import resident_kib


class ProcessUsage:
    """CPU time and memory from /proc/PID."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def cpu_s(self) -> float:
        """Return the CPU time used so far, in seconds."""
        # The name before the numbers may contain blanks; it ends with the last bracket.
        fields = Path("/proc", str(self._pid), "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Return the resident memory, including shared pages, in 10^6 bytes."""
        return resident_kib(self._pid) * 1024 / 1e6
