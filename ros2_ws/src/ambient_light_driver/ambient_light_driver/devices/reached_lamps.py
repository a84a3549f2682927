# SPDX-License-Identifier: Apache-2.0
"""Lamps that this process drives, under whatever name each was configured.

Configurations are compared before any connection (:mod:`.claims`). Two names of one host, or a
lamp's label and its serial number, turn out to be the same lamp only after connecting.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable

from ambient_light_driver.devices.claims import Claim
from ambient_light_driver.devices.light_device import DeviceUnavailableError


class ReachedLamps:
    """Reserve the lamps that devices have reached."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[Hashable, tuple[str, tuple[Claim, ...]]] = {}

    def take(self, owner: Hashable, name: str, claims: tuple[Claim, ...]) -> None:
        """Reserve ``claims`` for a device.

        :param owner: identity of the device.
        :param name: its name.
        :raises DeviceUnavailableError: when another device drives one of them.
        """
        with self._lock:
            for other, (other_name, taken) in self._taken.items():
                shared = next((c for c in claims if any(c.overlaps(t) for t in taken)), None)
                if shared is not None and other != owner:
                    raise DeviceUnavailableError(
                        f"{name}: reaches {shared}, which {other_name} drives, too, under another "
                        "name; remove one of them"
                    )
            self._taken[owner] = name, claims

    def release(self, owner: Hashable) -> None:
        """Release what a device has reserved."""
        with self._lock:
            self._taken.pop(owner, None)


REACHED = ReachedLamps()
"""The lamps of this process."""
