# SPDX-License-Identifier: Apache-2.0
"""Run the whole graph for a long time, with faults."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from fer_perception.face import RgbImage

from .background import meanwhile
from .camera import NOBODY
from .faults import (
    FAULTS,
    SIZES,
    light_is_killed,
    perception_is_killed,
    perception_stands_still,
)
from .resources import Resources
from .trend import Trend
from .world import DASHBOARD, LIGHT, PERCEPTION, World

_KILLS: Final = (perception_is_killed.__name__, light_is_killed.__name__)
_MILD: Final = tuple(name for name in FAULTS if name not in _KILLS)
# No process is killed in the first part, so that growth becomes visible.
_CALM_SHARE = 0.5
_KILL_SHARE = 0.1
_PAUSES_S = (2.0, 6.0)
_BACKLOGS = 10
_SCENES_S = (0.15, 0.6)
_VISITS_S = (1.0, 10.0)
_SAMPLE_PERIOD_S = 1.0
# Time to fill caches and process the first image of each size.
_WARM_UP_S = 60.0
_WARM_UP_SHARE = 0.2
# The endpoints of a killed process remain until its lease is over: 20 s in Fast DDS.
_LEASE_S = 30.0
PRIVATE, SHARED = "own memory, KiB", "shared memory, KiB"
_LIMITS: Final = {
    PRIVATE: 8.0 * 1024,
    # A slow reader touches more of its own segment and of the camera's: at most
    # twice the size that fastdds_large_images.xml gives them.
    SHARED: 2 * 64.0 * 1024,
    "files": 3.0,
    "threads": 3.0,
    "endpoints": 3.0,
}
"""Growth over the longest life that does not count as a leak."""

# In shorter lives caches still fill [s]; only very large growth is reported then.
_SETTLED_S = 300.0
_UNSETTLED_MEMORY_KIB = 64.0 * 1024


@dataclass(frozen=True)
class Watched:
    """Trend of one quantity of a process or of the graph.

    :ivar unit: of the trend.
    """

    of: str
    quantity: str
    trend: Trend

    @property
    def is_flat(self) -> bool:
        """Whether it grew by no more than noise."""
        limit = _LIMITS[self.quantity]
        if self.quantity == PRIVATE and self.trend.longest_s < _SETTLED_S:
            limit = _UNSETTLED_MEMORY_KIB
        return self.trend.growth <= limit


@dataclass
class LongRunReport:
    """Result of a long run.

    :ivar faults: how often each was injected.
    :ivar recoveries_s: time to recovery after each [s].
    :ivar lost: recoveries that timed out.
    :ivar swings: how often the lamp became brighter or darker.
    :ivar violations: of the limit of flashes.
    :ivar visits: pages that were opened and closed again.
    :ivar failures: other failures.
    """

    seconds: float
    faults: dict[str, int] = field(default_factory=dict)
    recoveries_s: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    watched: list[Watched] = field(default_factory=list)
    images: int = 0
    packets: int = 0
    swings: int = 0
    violations: int = 0
    worst_flashes: int = 0
    worst_red_flashes: int = 0
    visits: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing grew, flashed, failed or was lost."""
        flat = all(watched.is_flat for watched in self.watched)
        return flat and not (self.violations or self.lost or self.failures)


class _Watch:
    """Sample the processes of a world once a second."""

    def __init__(self, world: World, warm_up_s: float) -> None:
        self._world, self._warm_up_s = world, warm_up_s
        self._samples: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
        self._begun_s: dict[int, float] = {}
        self.killed_s = -_LEASE_S

    def look(self) -> None:
        now_s = time.monotonic()
        for name in (PERCEPTION, LIGHT, DASHBOARD):
            pid = self._world.pid(name)
            if pid is None:
                continue
            with suppress(FileNotFoundError, ProcessLookupError):  # it has ended in the meantime
                held = Resources.of(pid)
                if now_s - self._begun_s.setdefault(pid, now_s) >= self._warm_up_s:
                    self._note(name, PRIVATE, pid, now_s, held.private_kib)
                    self._note(name, SHARED, pid, now_s, held.shared_kib)
                    self._note(name, "files", pid, now_s, held.files)
                    self._note(name, "threads", pid, now_s, held.threads)
        if now_s - self.killed_s >= min(_LEASE_S, self._warm_up_s):
            self._note("graph", "endpoints", 0, now_s, self._world.endpoints())

    def _note(self, of: str, quantity: str, life: int, now_s: float, value: float) -> None:
        self._samples.setdefault((of, quantity), []).append((life, now_s, value))

    def watched(self) -> list[Watched]:
        return [Watched(*key, Trend.of(samples)) for key, samples in self._samples.items()]


def run(seconds: float, seed: int = 0, pictures: Sequence[RgbImage] = ()) -> LongRunReport:
    """Run the graph for ``seconds`` with random faults.

    Faces appear and disappear faster than the lamp may flash, pages are opened and closed, and a
    fault is injected every few seconds.

    :param pictures: of faces in addition to the portrait, for other colours.
    """
    report = LongRunReport(seconds)
    rng = random.Random(seed)
    with World(is_lively=True, pictures=pictures) as world:
        watch = _Watch(world, min(_WARM_UP_S, _WARM_UP_SHARE * seconds))
        port = world.dashboard_port()
        # The largest images come last: their buffers and full queues must not count as growth.
        for size in SIZES:
            world.camera.change(size=size, encoding="rgba8")
            world.wait_for_recovery()
        for _ in range(_BACKLOGS if seconds >= _SETTLED_S else 0):
            perception_stands_still(world, rng)
            world.wait_for_recovery()

        def watching(stopping: threading.Event) -> None:
            while not stopping.wait(_SAMPLE_PERIOD_S):
                watch.look()

        def changing(stopping: threading.Event) -> None:
            scenes = random.Random(seed + 1)
            while not stopping.wait(scenes.uniform(*_SCENES_S)):
                others = [s for s in world.camera.scenes if s != NOBODY]
                is_empty = world.camera.mode.scene == NOBODY
                world.camera.change(scene=scenes.choice(others) if is_empty else NOBODY)

        def visiting(stopping: threading.Event) -> None:
            visits = random.Random(seed + 2)
            while not stopping.wait(visits.uniform(*_VISITS_S)):
                asyncio.run(_visit(port, visits.uniform(*_VISITS_S), stopping))
                report.visits += 1

        with meanwhile(watching, "watch"), meanwhile(changing, "scenes"):
            with meanwhile(visiting, "visits"):
                _do_faults(world, watch, report, rng)
            sent, lamp = world.camera.sent, world.lamp
        exit_code = world.stop()
        if exit_code:
            report.failures.append(f"exit code {exit_code}:\n{world.output[-3000:]}")
        if "Traceback" in world.output:
            at = world.output.index("Traceback")
            report.failures.append(world.output[at : at + 3000])
        report.images, report.packets = sent, lamp.packets
        report.swings, report.violations = lamp.flashes.swings, lamp.flashes.violations
        report.worst_flashes = lamp.flashes.worst_flashes
        report.worst_red_flashes = lamp.flashes.worst_red_flashes
    report.watched = watch.watched()
    return report


def _do_faults(world: World, watch: _Watch, report: LongRunReport, rng: random.Random) -> None:
    begun_s = time.monotonic()
    while (past_s := time.monotonic() - begun_s) < report.seconds:
        time.sleep(min(rng.uniform(*_PAUSES_S), report.seconds - past_s))
        may_kill = past_s >= _CALM_SHARE * report.seconds
        is_kill = may_kill and rng.random() < _KILL_SHARE
        name = rng.choice(_KILLS if is_kill else _MILD)
        try:
            FAULTS[name](world, rng)
            if is_kill:
                watch.killed_s = time.monotonic()
            report.recoveries_s.append(world.wait_for_recovery())
        except (TimeoutError, AssertionError, ProcessLookupError) as error:
            report.lost.append(f"{name} after {past_s:.0f} s: {error}")
        report.faults[name] = report.faults.get(name, 0) + 1
        if is_kill:
            watch.killed_s = time.monotonic()


async def _visit(port: int, seconds: float, stopping: threading.Event) -> None:
    """Read the page's stream for some time, then drop the connection."""
    end_s = time.monotonic() + seconds
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}/live") as socket,
    ):
        while time.monotonic() < end_s and not stopping.is_set():
            with suppress(TimeoutError):
                await socket.receive(timeout=0.5)
