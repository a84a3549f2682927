# SPDX-License-Identifier: Apache-2.0
"""Speed-up of the evaluation of many short bags by processes and by a cluster.

``python -m bench.many_bags [COUNT]`` writes bags of two seconds (200 by default) to a temporary
folder and evaluates them serially, with ``--jobs 2`` and on a Dask cluster of two workers. It
prints the times and whether the results are equal; the exit code is 1 where they are not.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .replay import write_bag

SECONDS: Final = 2.0
"""Length of each bag [s]."""

WORKERS: Final = 2


@dataclass(frozen=True)
class Way:
    """One way to evaluate all bags.

    :ivar elapsed_s: time of the whole command [s].
    :ivar differences: files that differ from those of the serial run, or that one run lacks.
    """

    name: str
    elapsed_s: float
    differences: tuple[str, ...]


def measure(count: int) -> Iterator[Way]:
    """Evaluate ``count`` bags in each way."""
    with tempfile.TemporaryDirectory() as folder:
        bags, serial = Path(folder, "bags"), Path(folder, "serial")
        bags.mkdir()
        for number in range(count):
            write_bag(bags / f"run_{number:03d}", SECONDS / 60.0)
        yield Way("serial", _evaluate(bags, serial), ())
        jobs = Path(folder, "jobs")
        elapsed_s = _evaluate(bags, jobs, "--jobs", str(WORKERS))
        yield Way(f"--jobs {WORKERS}", elapsed_s, _differences(jobs, serial))
        cluster = Path(folder, "cluster")
        with _cluster() as address:
            if address:
                elapsed_s = _evaluate(bags, cluster, "--scheduler", address)
                yield Way(f"Dask, {WORKERS} workers", elapsed_s, _differences(cluster, serial))


@contextmanager
def _cluster() -> Iterator[str]:
    """Start a cluster; yield its address, empty without Dask."""
    try:
        from distributed import LocalCluster
    except ImportError:
        print("Dask is missing (pip install distributed): no cluster was measured")
        yield ""
        return
    with LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None) as cluster:
        yield str(cluster.scheduler_address)


def _evaluate(bags: Path, out: Path, *options: str) -> float:
    command = [sys.executable, "-m", "fer_evaluation.evaluate_bag", str(bags)]
    begin_s = time.monotonic()
    subprocess.run(
        [*command, "--out", str(out), "--quiet", *options], check=True, stdout=subprocess.DEVNULL
    )
    return time.monotonic() - begin_s


def _differences(out: Path, expected: Path) -> tuple[str, ...]:
    """Compare every table byte for byte and every figure but those of speed."""
    files = {
        file.relative_to(folder)
        for folder in (out, expected)
        for file in folder.rglob("*")
        if file.suffix in (".csv", ".json")
    }
    return tuple(sorted(str(f) for f in files if _content(out / f) != _content(expected / f)))


def _content(file: Path) -> object:
    if not file.is_file():
        return None
    if file.suffix == ".csv":
        return file.read_bytes()
    document = json.loads(file.read_text(encoding="utf-8"))
    document.pop("host", None)
    return document


def main(count: int = 200) -> int:
    """Print a line for each way.

    :returns: 1 when results differ.
    """
    print(f"{count} bags of {SECONDS:g} s")
    serial_s, differs = 0.0, False
    for way in measure(count):
        serial_s = serial_s or way.elapsed_s
        result = f"{len(way.differences)} files DIFFER" if way.differences else "equal results"
        differs = differs or bool(way.differences)
        print(f"{way.name:16} {way.elapsed_s:7.1f} s {serial_s / way.elapsed_s:5.2f}x  {result}")
        sys.stdout.flush()
    return int(differs)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
