# SPDX-License-Identifier: Apache-2.0
"""Run jobs in local processes; repeat those whose process dies."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Final

from tqdm import tqdm

from fer_common.interruption import Interrupted, interruptible
from fer_perception.runtime.shared_parts import SharedParts
from fer_perception.settings import build_pipeline

from .jobs import Job, Outcome, run_job

ATTEMPTS: Final = 3
"""A bag whose process died so often is given up."""

_PATIENCE_S: Final = 10.0


class _Worker:
    """A process that runs one job after the other.

    It ends when this process does, as its pipe is then closed.
    """

    def __init__(self) -> None:
        # Not forked: the libraries' threads and locks do not survive that.
        context = multiprocessing.get_context("spawn")
        self.connection, other_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(other_end,), daemon=True)
        self._process.start()
        other_end.close()
        self.job: Job | None = None

    def start(self, job: Job) -> None:
        """Send a job."""
        self.job = job
        self.connection.send(job)

    def finish(self) -> None:
        """End the process after its last job."""
        self.connection.close()
        self._process.join(_PATIENCE_S)
        if self._process.exitcode is None:
            self.stop()

    def stop(self) -> None:
        """End the process at once, which removes its unfinished files."""
        self._process.terminate()
        self._process.join(_PATIENCE_S)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        self.connection.close()

    def cause_of_death(self) -> str:
        """Return why the process ended."""
        self._process.join(_PATIENCE_S)
        code = self._process.exitcode or 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def run_here(jobs: Sequence[Job], count: int) -> Iterator[Outcome]:
    """Yield the outcomes as the jobs end, in any order.

    A job whose process dies is repeated, up to :data:`ATTEMPTS` times in all.

    :param count: number of processes, each with one thread.
    """
    waiting, deaths = deque(jobs), Counter[str]()
    workers: list[_Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < count:
                worker = _Worker()
                workers.append(worker)
                worker.start(waiting.popleft())
            ready = wait([worker.connection for worker in workers])
            for worker in [w for w in workers if w.connection in ready]:
                job = worker.job
                assert job is not None
                try:
                    outcome = worker.connection.recv()
                except (EOFError, OSError):
                    workers.remove(worker)
                    deaths[job.name] += 1
                    cause = worker.cause_of_death()
                    worker.stop()
                    if deaths[job.name] < ATTEMPTS:
                        waiting.appendleft(job)
                        continue
                    yield Outcome(
                        job.name,
                        f"its process ended {ATTEMPTS} times ({cause}): is there too little "
                        "memory?",
                    )
                    continue
                if waiting:
                    worker.start(waiting.popleft())
                else:
                    workers.remove(worker)
                    worker.finish()
                yield outcome
    finally:
        for worker in workers:
            worker.stop()


def _serve(connection: Connection) -> None:
    """Run the jobs that arrive."""
    # Its default is a semaphore of the system, which a killed process leaves behind.
    tqdm.set_lock(threading.RLock())
    # Holds the networks, which the parts only refer to weakly.
    parts, pipeline = SharedParts(), None
    try:
        with interruptible():
            # Ctrl-C reaches all processes of a terminal; the parent decides.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            while True:
                job = connection.recv()
                outcome = run_job(job, parts)
                if not outcome.error and pipeline is None:
                    pipeline = build_pipeline(job.options.settings, parts)
                connection.send(outcome)
    except (EOFError, OSError, Interrupted):
        return
