# SPDX-License-Identifier: Apache-2.0
"""The currently driven lamps."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ambient_light_driver.devices.device_worker import (
    HANGING_S,
    DevicePhase,
    DeviceStatus,
    DeviceWorker,
    OnChange,
)
from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice
from ambient_light_driver.light_state import SWITCHED_OFF, LightState

STOP_TIMEOUT_S = 1.2
"""Timeout for all lamps together to show their last colour [s]."""

REST_S = 0.5
"""Minimum off time of a lamp that is restarted with new options [s]."""


@dataclass(frozen=True)
class DeviceSpec:
    """A device type with its options.

    :param device_type: the device's class.
    :param config: its options.
    """

    device_type: type[LightDevice[Any]]
    config: DeviceConfig

    def may_share_lamp(self, other: DeviceSpec) -> bool:
        """Return whether both may drive the same lamp, by claims or type."""
        own, others = self.config.claims(), other.config.claims()
        if own and others:
            return any(claim.overlaps(taken) for claim in own for taken in others)
        return self.device_type is other.device_type


@dataclass
class _Ending:
    """A lamp that is being switched off.

    :param since_s: when its end was requested.
    :param ended_s: when its thread was first found to have ended; None until then.
    """

    name: str
    spec: DeviceSpec
    worker: DeviceWorker
    since_s: float
    ended_s: float | None = None


class DeviceSet:
    """Start, feed and stop one worker per lamp.

    :param on_change: see :class:`DeviceWorker`.
    :param clock: a monotonic clock [s].
    """

    def __init__(self, on_change: OnChange, clock: Callable[[], float] = time.monotonic) -> None:
        self._on_change = on_change
        self._clock = clock
        self._running: dict[str, tuple[DeviceSpec, DeviceWorker]] = {}
        self._waiting: dict[str, DeviceSpec] = {}
        self._ending: list[_Ending] = []
        self._outages: dict[str, int] = {}

    def newly_lost(self) -> set[str]:
        """Return the lamps that were lost since the last call.

        They may have gone dark, or may obey the command that was given up.
        """
        outages = {name: worker.status().outages for name, (_, worker) in self._running.items()}
        known, self._outages = self._outages, outages
        return {name for name, count in outages.items() if count > known.get(name, 0)}

    def apply(self, specs: Mapping[str, DeviceSpec]) -> bool:
        """Run exactly ``specs``; keep lamps with unchanged options.

        Removed lamps are switched off; their replacements start after they have ended. Never
        blocks on a lamp.

        :returns: whether a lamp is switched off.
        """
        dropped = [name for name, (spec, _) in self._running.items() if specs.get(name) != spec]
        for name in dropped:
            self._end(name, SWITCHED_OFF)
        self._waiting = {n: spec for n, spec in specs.items() if n not in self._running}
        self._start_waiting()
        return bool(dropped)

    def post(self, state: LightState) -> None:
        """Post ``state`` to every lamp; never block."""
        self._start_waiting()
        for _, worker in self._running.values():
            worker.post(state)

    def statuses(self) -> dict[str, DeviceStatus]:
        """Return the status of each lamp."""
        statuses = {name: worker.status() for name, (_, worker) in self._running.items()}
        now_s = self._clock()
        for name, spec in self._waiting.items():
            predecessor = next((e for e in self._ending if self._blocks(e, name, spec)), None)
            since_s = now_s if predecessor is None else predecessor.since_s
            phase = DevicePhase.CONNECTING
            if now_s - since_s > HANGING_S:
                phase = DevicePhase.HANGING
            reason = f"for {now_s - since_s:.0f} s waiting for the lamp to go out"
            statuses[name] = DeviceStatus(phase=phase, reason=reason)
        return statuses

    def stop(self, last: LightState) -> tuple[str, ...]:
        """Show ``last`` on every lamp; stop all threads within :data:`STOP_TIMEOUT_S`.

        :returns: names of lamps that still hang; their threads keep running.
        """
        self._waiting = {}
        for name in list(self._running):
            self._end(name, last)
        end_s = time.monotonic() + STOP_TIMEOUT_S
        hanging = tuple(
            ending.name
            for ending in self._ending
            if not ending.worker.join(end_s - time.monotonic())
        )
        # Hanging devices block a later start of the same lamp.
        self._ending = [ending for ending in self._ending if ending.name in hanging]
        return hanging

    def _end(self, name: str, last: LightState) -> None:
        spec, worker = self._running.pop(name)
        worker.request_stop(last)
        self._ending.append(_Ending(name, spec, worker, self._clock()))

    def _start_waiting(self) -> None:
        if not self._waiting and not self._ending:
            return
        now_s = self._clock()
        for ending in self._ending:
            if ending.ended_s is None and ending.worker.join(0.0):
                ending.ended_s = now_s
        self._ending = [e for e in self._ending if e.ended_s is None or now_s < e.ended_s + REST_S]
        for name, spec in list(self._waiting.items()):
            if not any(self._blocks(ending, name, spec) for ending in self._ending):
                worker = DeviceWorker(spec.device_type(name, spec.config), self._on_change)
                worker.start()
                self._running[name] = spec, worker
                del self._waiting[name]

    @staticmethod
    def _blocks(ending: _Ending, name: str, spec: DeviceSpec) -> bool:
        return ending.name == name or ending.spec.may_share_lamp(spec)
