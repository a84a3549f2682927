# SPDX-License-Identifier: Apache-2.0
"""Run a target's inputs in separate processes and report failures.

Each input may take a second: a kernel timer kills a process that takes longer, in whichever
library it hangs. Crashes of native code are detected in the same way. Inputs that hung are
repeated alone, so that a stall of the machine does not count as a hang.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import multiprocessing
import os
import signal
import struct
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from robustness.soak.resources import resident_kib

from .target import Target

HANG_S = 1.0
"""Longest time for one input [s]."""

_REPEATS_OF_A_HANG = 2
_SAMPLES = 24
# Memory cached by allocators does not count as a leak; growth beyond this over a whole run does.
MAX_GROWTH_KIB = 16 * 1024
# The first inputs fill caches and trigger late imports.
_WARM_UP_SHARE = 0.25
_MOST_FAILURES = 20
# By fork, so that processes start quickly; this one has only imported the targets.
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Failure:
    """An input that caused a failure.

    :ivar kind: "crash", "hang" or "growth".
    :ivar number: of the input; that of the last one for growth.
    :ivar text: what happened.
    """

    kind: str
    number: int
    text: str


@dataclass
class Report:
    """Result of a target's inputs.

    :ivar inputs: number of inputs run.
    :ivar refused: number of properly refused inputs.
    :ivar longest_s: time of the slowest input.
    :ivar growth_kib: change of the resident memory after the warm-up [KiB].
    """

    target: str
    inputs: int = 0
    refused: int = 0
    longest_s: float = 0.0
    growth_kib: int = 0
    wall_s: float = 0.0
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True)
class _Outcome:
    """Result of one process."""

    tried: int
    refused: int
    longest_s: float
    growth_kib: int
    failures: list[Failure]


class _Progress:
    """Number of the current input, readable by the parent after a crash."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(struct.pack("q", -1))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)

    @property
    def number(self) -> int:
        value: int = struct.unpack("q", self._memory)[0]
        return value

    @number.setter
    def number(self, value: int) -> None:
        self._memory[:] = struct.pack("q", value)


def _trimmed_kib() -> int:
    """Return this process's resident memory without free heap blocks [KiB]."""
    gc.collect()
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)
    return resident_kib()


@contextmanager
def _killed_after(seconds: float) -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def _work(
    target: Target, seed: int, first: int, count: int, progress_path: Path, answer: Connection
) -> None:
    """Run inputs in a separate process."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)  # libraries print a message per input
    try_one = target.prepare()
    gc.freeze()  # exclude existing objects from garbage collection
    progress = _Progress(progress_path)
    failures: list[Failure] = []
    seen: set[str] = set()
    refused, longest_s = 0, 0.0
    warm_up = int(count * _WARM_UP_SHARE)
    sample_every = max(1, count // _SAMPLES)
    samples: list[int] = []
    for number in range(first, first + count):
        progress.number = number
        rng = target.input_rng(seed, number)
        start_s = time.perf_counter()
        try:
            with _killed_after(HANG_S):
                try_one(rng)
        except target.refusals:
            refused += 1
        except Exception as error:  # any other exception is a failure
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{where.filename}:{where.lineno} {type(error).__name__}"
            if place not in seen and len(failures) < _MOST_FAILURES:
                seen.add(place)
                text = "".join(traceback.format_exception(error, limit=-6))
                failures.append(Failure("crash", number, text))
        longest_s = max(longest_s, time.perf_counter() - start_s)
        if number - first >= warm_up and (number - first) % sample_every == 0:
            samples.append(_trimmed_kib())
    growth_kib = _growth(samples)
    if growth_kib > MAX_GROWTH_KIB:
        failures.append(Failure("growth", first + count - 1, f"{growth_kib} KiB more"))
    answer.send(_Outcome(count, refused, longest_s, growth_kib, failures))


def _growth(samples: list[int]) -> int:
    """Return the growth of memory: minimum of last minus first third."""
    third = max(1, len(samples) // 3)
    return min(samples[-third:]) - min(samples[:third]) if len(samples) > 1 else 0


def run(target: Target, inputs: int, folder: Path, seed: int = 0, first: int = 0) -> Report:
    """Run inputs ``first`` to ``first + inputs - 1`` of a target.

    :param folder: existing folder for data shared by the processes.
    """
    report = Report(target.name)
    start_s = time.monotonic()
    end = first + inputs
    while first < end and len(report.failures) < _MOST_FAILURES:
        outcome, ended_at, code = _run_process(target, seed, first, end - first, folder)
        if outcome is not None:
            report.inputs += outcome.tried
            report.refused += outcome.refused
            report.longest_s = max(report.longest_s, outcome.longest_s)
            report.growth_kib = max(report.growth_kib, outcome.growth_kib)
            report.failures += outcome.failures
            break
        if ended_at < first:
            report.failures.append(Failure("crash", first, f"no input was run: {_words(code)}"))
            break
        report.inputs += ended_at - first + 1
        report.failures += _judge_death(target, seed, ended_at, code, folder)
        first = ended_at + 1
    report.wall_s = time.monotonic() - start_s
    return report


def _judge_death(
    target: Target, seed: int, number: int, code: int, folder: Path
) -> Iterator[Failure]:
    """Return why the process died at an input; repeat hangs to confirm."""
    if code != -signal.SIGALRM:
        yield Failure("crash", number, _words(code))
        return
    for _ in range(_REPEATS_OF_A_HANG):
        outcome, _, code = _run_process(target, seed, number, 1, folder)
        if outcome is not None or code != -signal.SIGALRM:
            return
    yield Failure("hang", number, f"no end within {HANG_S:g} s")


def _run_process(
    target: Target, seed: int, first: int, count: int, folder: Path
) -> tuple[_Outcome | None, int, int]:
    """Return (result of the process, fatal input, exit code)."""
    path = folder / f"{target.name}.progress"
    path.unlink(missing_ok=True)
    progress = _Progress(path)
    receiver, sender = _FORK.Pipe(duplex=False)
    process = _FORK.Process(
        target=_work, args=(target, seed, first, count, path, sender), daemon=False
    )
    process.start()
    sender.close()
    outcome: _Outcome | None = None
    with suppress(EOFError):  # it died
        outcome = receiver.recv()
    process.join()
    return outcome, progress.number, process.exitcode or 0


def _words(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def in_short(failure: Failure) -> str:
    """Return the failure in one line."""
    return failure.text.strip().rpartition("\n")[2][:160]
