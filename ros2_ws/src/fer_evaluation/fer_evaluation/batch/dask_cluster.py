# SPDX-License-Identifier: Apache-2.0
"""Run jobs on the workers of a Dask scheduler."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Final

from ..report import provenance
from .jobs import Job, Outcome, run_job_elsewhere

_PATIENCE_S: Final = 30.0


def run_on_dask(jobs: Sequence[Job], address: str) -> Iterator[Outcome]:
    """Yield outcomes as jobs end; Dask repeats those of dead workers.

    :param address: of the scheduler, for example ``tcp://host:8786``.
    :raises ModuleNotFoundError: when Dask is not installed.
    :raises OSError: when the scheduler cannot be reached or has no worker.
    :raises ValueError: when its workers cannot import this package.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError as error:
        raise ModuleNotFoundError(
            f"--scheduler needs Dask ({error}): pip install distributed"
        ) from None
    try:
        client = Client(address, timeout=_PATIENCE_S)
    except (OSError, ValueError) as error:
        raise OSError(
            f"no Dask scheduler answers at {address} ({error}): start one with 'dask scheduler'"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE_S)
        except TimeoutError:
            raise OSError(
                f"the Dask scheduler at {address} has no worker after {_PATIENCE_S:.0f} s: start "
                f"some with 'dask worker {address} --nthreads 1'"
            ) from None
        try:
            client.submit(provenance.git_revision, pure=False).result()
        except Exception as error:
            raise ValueError(
                f"the workers at {address} cannot run fer_evaluation ({error}): install this "
                "version of it on each"
            ) from error
        run = uuid.uuid4().hex
        futures = {
            client.submit(run_job_elsewhere, job, key=f"evaluate-{run}-{number}", pure=False): job
            for number, job in enumerate(jobs)
        }
        try:
            for future in as_completed(list(futures)):
                job = futures.pop(future)
                try:
                    outcome = future.result()
                except KilledWorker:
                    outcome = Outcome(
                        job.name,
                        "it ended the processes of several workers: is there too little memory?",
                    )
                except Exception as error:
                    outcome = Outcome(job.name, f"unexpected {type(error).__name__}: {error}")
                future.release()
                yield outcome
        finally:
            client.cancel(list(futures))
