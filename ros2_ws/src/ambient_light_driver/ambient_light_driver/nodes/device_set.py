# SPDX-License-Identifier: Apache-2.0
"""The lamps that a node drives at the moment."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ambient_light_driver.devices.device_worker import DeviceStatus, DeviceWorker, OnChange
from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice
from ambient_light_driver.light_state import SWITCHED_OFF, LightState

STOP_TIMEOUT_S = 1.2
"""All lamps together get this long to take their last colour [s]."""

REST_S = 0.5
"""A lamp that was switched off for new options stays off at least this long [s], so that the
darkness of the old worker comes before the light of the new one."""


@dataclass(frozen=True)
class DeviceSpec:
    """Which device with which options.

    :param device_type: the device's class.
    :param config: its options.
    """

    device_type: type[LightDevice[Any]]
    config: DeviceConfig


class DeviceSet:
    """Starts, feeds and stops one worker per lamp.

    :param on_change: see :class:`DeviceWorker`.
    """

    def __init__(self, on_change: OnChange) -> None:
        self._on_change = on_change
        self._running: dict[str, tuple[DeviceSpec, DeviceWorker]] = {}
        self._ending: list[DeviceWorker] = []
        self._rest_ends_s = -math.inf
        self._outages: dict[str, int] = {}

    def apply(self, specs: Mapping[str, DeviceSpec]) -> bool:
        """Make exactly ``specs`` run; lamps whose options did not change are left alone.

        Lamps that are dropped go out. Never waits for a lamp.

        :return: whether a lamp goes out.
        """
        dropped = [name for name, (spec, _) in self._running.items() if specs.get(name) != spec]
        for name in dropped:
            self._end(name, SWITCHED_OFF)
            self._rest_ends_s = time.monotonic() + REST_S
        for name, spec in specs.items():
            if name not in self._running:
                worker = DeviceWorker(spec.device_type(name, spec.config), self._on_change)
                worker.start(max(0.0, self._rest_ends_s - time.monotonic()))
                self._running[name] = spec, worker
        return bool(dropped)

    @property
    def late_s(self) -> float:
        """How late the slowest lamp may show a colour [s]."""
        return max((worker.late_s for _, worker in self._running.values()), default=0.0)

    def new_dark_outages(self) -> bool:
        """Return whether a lamp may have gone out with its connection since the last call."""
        outages = {name: worker.dark_outages() for name, (_, worker) in self._running.items()}
        known, self._outages = self._outages, outages
        return any(count > known.get(name, 0) for name, count in outages.items())

    def post(self, state: LightState) -> None:
        """Hand ``state`` to every lamp; never blocks."""
        for _, worker in self._running.values():
            worker.post(state)

    def statuses(self) -> dict[str, DeviceStatus]:
        """Return how each lamp is doing."""
        return {name: worker.status() for name, (_, worker) in self._running.items()}

    def stop(self, last: LightState) -> tuple[str, ...]:
        """Show ``last`` on every lamp and end all threads within :data:`STOP_TIMEOUT_S`.

        :return: names of lamps that still hang; their threads are left behind.
        """
        for name in list(self._running):
            self._end(name, last)
        end_s = time.monotonic() + STOP_TIMEOUT_S
        hanging = tuple(w.name for w in self._ending if not w.join(end_s - time.monotonic()))
        self._ending.clear()
        return hanging

    def _end(self, name: str, last: LightState) -> None:
        _, worker = self._running.pop(name)
        worker.request_stop(last)
        self._ending = [other for other in self._ending if not other.join(0.0)]
        self._ending.append(worker)
