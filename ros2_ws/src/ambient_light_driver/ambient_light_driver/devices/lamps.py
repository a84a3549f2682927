# SPDX-License-Identifier: Apache-2.0
"""The lamps of a light, and permission to drive them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ambient_light_driver.devices.claim_ledger import ClaimLedger
from ambient_light_driver.devices.claims import Claim, overlaps_within
from ambient_light_driver.devices.device_set import DeviceSet, DeviceSpec
from ambient_light_driver.devices.device_worker import DevicePhase, DeviceStatus
from ambient_light_driver.light_state import LightState


@dataclass(frozen=True)
class WantedLamps:
    """The lamps that a light wants to drive.

    :param devices: name -> device that it drives itself.
    :param others: name -> claims on lights driven in another way.
    :param errors: name -> why a device's configuration is invalid.
    """

    devices: Mapping[str, DeviceSpec] = field(default_factory=dict)
    others: Mapping[str, tuple[Claim, ...]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


class Lamps:
    """Drive each wanted lamp that is not driven elsewhere.

    :param devices: starts and stops the workers.
    :param ledger: grants lamps that other nodes may claim.
    :param on_dark: called with the name of a lamp that is lost, or with an empty one when a lamp
        is switched off while the others stay on.
    :param log_error: called once for each new reason why a lamp is not driven.
    """

    def __init__(
        self,
        devices: DeviceSet,
        ledger: ClaimLedger,
        on_dark: Callable[[str], None],
        log_error: Callable[[str], None],
    ) -> None:
        self._devices = devices
        self._ledger = ledger
        self._on_dark = on_dark
        self._log_error = log_error
        self._wanted = WantedLamps()
        self._claims: dict[str, tuple[Claim, ...]] = {}
        self._overlaps: dict[str, str] = {}
        self._waiting: Mapping[str, str] = {}
        self._errors: dict[str, str] = {}
        self._hanging: set[str] = set()

    @property
    def errors(self) -> Mapping[str, str]:
        """Name -> why a lamp is not driven."""
        return self._errors

    def want(self, wanted: WantedLamps, now_s: float) -> None:
        """Replace the wanted lamps; keep those with unchanged options."""
        self._wanted = wanted
        claims = {name: spec.config.claims() for name, spec in wanted.devices.items()}
        claims |= wanted.others
        self._overlaps = overlaps_within(claims)
        self._claims = {name: own for name, own in claims.items() if name not in self._overlaps}
        self.update(now_s)

    def update(self, now_s: float) -> None:
        """Start free lamps and stop lamps claimed by others; never block."""
        self._waiting = self._ledger.decide(self._claims, now_s)
        refused = {name: reason for name, reason in self._waiting.items() if reason}
        self._note_errors({**self._wanted.errors, **self._overlaps, **refused})
        granted = {
            name: spec
            for name, spec in self._wanted.devices.items()
            if name in self._claims and name not in self._waiting
        }
        if self._devices.apply(granted):
            self._on_dark("")

    def may_drive(self, name: str) -> bool:
        """Return whether one of :attr:`WantedLamps.others` is granted."""
        return (
            name in self._wanted.others and name not in self._waiting and name not in self._errors
        )

    def note_outages(self) -> None:
        """Report lamps that were lost."""
        for name in self._devices.newly_lost():
            self._on_dark(name)

    def post(self, state: LightState) -> None:
        """Post ``state`` to every driven lamp; never block."""
        self._devices.post(state)

    def stop(self, last: LightState, now_s: float) -> tuple[str, ...]:
        """Show ``last`` on every lamp, stop the threads, release the lamps.

        :returns: names of lamps that still hang.
        """
        hanging = self._devices.stop(last)
        self.want(WantedLamps(), now_s)
        return hanging

    def statuses(self) -> dict[str, DeviceStatus]:
        """Return the status of each lamp without an error."""
        waiting = {
            name: DeviceStatus(reason="waiting for claims of other nodes")
            for name, reason in self._waiting.items()
            if not reason and name in self._wanted.devices
        }
        return {**waiting, **self._devices.statuses()}

    def changed_hanging(self, statuses: Mapping[str, DeviceStatus]) -> tuple[set[str], set[str]]:
        """Return newly hanging and recovered lamps since the last call."""
        hanging = {n for n, status in statuses.items() if status.phase is DevicePhase.HANGING}
        changes = hanging - self._hanging, self._hanging - hanging
        self._hanging = hanging
        return changes

    def _note_errors(self, errors: dict[str, str]) -> None:
        for name, text in errors.items():
            if self._errors.get(name) != text:
                self._log_error(text)
        self._errors = errors
