# SPDX-License-Identifier: Apache-2.0
"""Where the memory and the start of the graph's processes go (Linux)."""

from __future__ import annotations

import os
import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import rclpy
from fer_msgs.msg import EmotionArray
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from fer_bringup import fast_dds
from fer_bringup.standalone.launch_file import processes
from fer_bringup.standalone.processes import NodeProcess, start, stop
from robustness.soak.domain import own_domain

from .process_usage import ProcessUsage

TITLE: Final = "Where the memory and the start go, MB: 640x480 at 30 Hz, one face"
COLUMNS: Final = (
    "process",
    "resident",
    "proportional",
    "private",
    "shared memory of images",
    "files: Python, libraries",
    "heap and stacks",
    "largest files",
    "CPU s to the first result",
)

_ROUNDS: Final = 5
_SETTLED_S: Final = 6.0
_TIMEOUT_S: Final = 60.0
_MAPPING: Final = re.compile(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+\s*(.*)")
_LARGEST: Final = 3


@dataclass(frozen=True)
class Memory:
    """Memory of a process [MB].

    :ivar proportional: shared pages count in equal parts for all processes that hold them.
    :ivar private: pages that no other process holds: what ends with it.
    :ivar mappings: resident memory by file; files of shared memory and anonymous memory under
        one name each.
    """

    resident: float
    proportional: float
    private: float
    mappings: Mapping[str, float]

    @classmethod
    def of(cls, pid: int) -> Memory:
        """Read the memory of a process."""
        total: Counter[str] = Counter()
        mappings: Counter[str] = Counter()
        name = ""
        for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
            if mapping := _MAPPING.fullmatch(line):
                name = _name_of(mapping[1])
                continue
            quantity, _, value = line.partition(":")
            if value.endswith(" kB"):
                total[quantity] += int(value.split()[0])
                if quantity == "Rss":
                    mappings[name] += int(value.split()[0])
        mb = 1024 / 1e6
        return cls(
            total["Rss"] * mb,
            total["Pss"] * mb,
            (total["Private_Clean"] + total["Private_Dirty"]) * mb,
            {name: mb * size for name, size in mappings.items()},
        )

    @property
    def shared_memory(self) -> float:
        """Return the resident memory of segments and ports."""
        return self.mappings.get(_SHARED, 0.0)

    @property
    def anonymous(self) -> float:
        """Return the resident memory of heap and stacks."""
        return self.mappings.get(_ANONYMOUS, 0.0)

    @property
    def files(self) -> Mapping[str, float]:
        """Return the resident memory of each other file."""
        return {k: v for k, v in self.mappings.items() if k not in (_SHARED, _ANONYMOUS)}


_SHARED: Final = "shared memory"
_ANONYMOUS: Final = "anonymous"


def _name_of(path: str) -> str:
    if path.startswith("/dev/shm/"):  # nosec B108
        return _SHARED
    if not path.startswith("/"):
        return _ANONYMOUS
    return re.sub(r"(-[0-9a-f]{8,})?(\.cpython-[^.]+|\.abi3)?\.so.*", "", Path(path).name)


@dataclass(frozen=True)
class Footprint:
    """Memory of one process, and what its start takes.

    :ivar cpu_s: CPU time until the graph's first result [s].
    """

    process: str
    memory: Memory
    cpu_s: float


@dataclass(frozen=True)
class Report:
    """Footprint of all processes of the graph.

    :ivar first_s: from the start of the processes to the first EmotionArray, of each start [s].
    """

    footprints: Sequence[Footprint]
    first_s: Sequence[float]


def measure(rounds: int = _ROUNDS) -> Report:
    """Start camera, perception and light several times and measure the last start's memory."""
    os.environ.update(fast_dds.variables())
    first_s: list[float] = []
    footprints: list[Footprint] = []
    for _ in range(rounds):
        with _graph() as (nodes, waited_s):
            first_s.append(waited_s)
            cpu_s = [ProcessUsage(node.process.pid).cpu_s() for node in nodes]
            if len(first_s) == rounds:
                time.sleep(_SETTLED_S)
                footprints = [
                    Footprint(node.spec.name, Memory.of(node.process.pid), used_s)
                    for node, used_s in zip(nodes, cpu_s, strict=True)
                ]
    return Report(footprints, first_s)


@contextmanager
def _graph() -> Iterator[tuple[list[NodeProcess], float]]:
    """Start the graph; yield its processes once it answers, and how long that took [s]."""
    with own_domain():
        context = rclpy.Context()
        rclpy.init(context=context)
        node = rclpy.create_node("bench_listener", context=context)
        first = threading.Event()
        node.create_subscription(
            EmotionArray, "/fer_perception/emotions", lambda _: first.set(), 10
        )
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        spinning = threading.Thread(target=_spin, args=(executor,), daemon=True)
        spinning.start()
        specs = processes("fer_light", source="portrait", device="terminal", aggregator="false")
        begin_s = time.monotonic()
        with Path(os.devnull).open("wb") as nowhere:
            nodes = start(specs, output=nowhere)
            try:
                if not first.wait(_TIMEOUT_S):
                    raise TimeoutError(f"no EmotionArray in {_TIMEOUT_S:.0f} s")
                yield nodes, time.monotonic() - begin_s
            finally:
                stop(nodes)
                executor.shutdown()
                spinning.join()
                node.destroy_node()
                rclpy.shutdown(context=context)


def _spin(executor: SingleThreadedExecutor) -> None:
    with suppress(ExternalShutdownException):
        executor.spin()


def rows(report: Report) -> list[list[str]]:
    """Return the cells of a table with :data:`COLUMNS`."""
    return [
        [
            footprint.process,
            f"{memory.resident:.0f}",
            f"{memory.proportional:.0f}",
            f"{memory.private:.0f}",
            f"{memory.shared_memory:.1f}",
            f"{sum(memory.files.values()):.0f}",
            f"{memory.anonymous:.0f}",
            ", ".join(
                f"{name} {size:.0f}"
                for name, size in Counter(dict(memory.files)).most_common(_LARGEST)
            ),
            f"{footprint.cpu_s:.2f}",
        ]
        for footprint in report.footprints
        for memory in [footprint.memory]
    ]


def summary(report: Report) -> str:
    """Return a sentence on the start."""
    return (
        f"From the start of the processes to the first EmotionArray: median "
        f"{statistics.median(report.first_s):.2f} s, fastest {min(report.first_s):.2f} s of "
        f"{len(report.first_s)}; together they take "
        f"{sum(f.cpu_s for f in report.footprints):.1f} s of CPU time for it."
    )
