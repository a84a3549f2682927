# SPDX-License-Identifier: Apache-2.0
"""Give a process a share of one core, as a weak computer does (Linux)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from .background import meanwhile

_TICK_S: Final = 0.001
_BURST_S: Final = 0.01
"""Time of the core that a process that waited may use at once [s]."""


@contextmanager
def throttled(pid: int, share: float) -> Iterator[None]:
    """Suspend a process, pinned to one core, whenever it has used its share of the time.

    The caller moves to the other cores, where there are any, so that it can act in time. While
    others compute, the process may get less than its share.

    :param share: of one core, in (0, 1).
    """
    cores = os.sched_getaffinity(0)
    core = min(cores)
    _pin(pid, {core})
    _pin(os.getpid(), cores - {core} or cores)
    try:
        with meanwhile(partial(_throttle, pid, share), "throttle"):
            yield
    finally:
        _pin(os.getpid(), cores)


def _pin(pid: int, cores: set[int]) -> None:
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cores)


def _throttle(pid: int, share: float, stopping: threading.Event) -> None:
    clock = (~pid << 3) | 2  # CPU time of another process, as clock_getcpuclockid() returns it
    is_running = True
    credit_s = _BURST_S
    with suppress(ProcessLookupError, OSError):
        before_s, used_before_s = time.monotonic(), time.clock_gettime(clock)
        while not stopping.wait(_TICK_S):
            now_s, used_s = time.monotonic(), time.clock_gettime(clock)
            credit_s += share * (now_s - before_s) - (used_s - used_before_s)
            credit_s = min(credit_s, _BURST_S)
            before_s, used_before_s = now_s, used_s
            if is_running != (credit_s > 0.0):
                is_running = not is_running
                os.kill(pid, signal.SIGCONT if is_running else signal.SIGSTOP)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
