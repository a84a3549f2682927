# SPDX-License-Identifier: Apache-2.0
"""Claims on lamps, so that two devices never drive the same light."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

LAST_CHANNEL = 0xFFFF_FFFF
"""Largest channel number of a claim."""


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """A lamp, or a range of channels, reserved for one device.

    :param resource: canonical name of the lamp or universe, in the form ``protocol://place``: two
        configurations that reach the same hardware in the same way give the same name, for
        example ``sacn://239.255.0.1/1`` or ``serial:///dev/ttyUSB0``.
    :param first: first channel, LED or segment claimed, in [0, :data:`LAST_CHANNEL`].
    :param last: last one claimed, inclusive; the default range is the whole resource.
    :param whole_frames: whether each update of this range sends the whole resource. Devices of one
        node share such a sender; two nodes cannot, whatever their ranges are.
    """

    resource: str
    first: int = 0
    last: int = LAST_CHANNEL
    whole_frames: bool = False

    def overlaps(self, other: Claim) -> bool:
        """Return whether ``other`` of the same node conflicts with this claim."""
        return (
            self.resource == other.resource
            and self.first <= other.last
            and other.first <= self.last
        )

    def excludes(self, other: Claim) -> bool:
        """Return whether ``other`` of another node conflicts with this claim."""
        shares_frames = self.whole_frames or other.whole_frames
        return self.overlaps(other) or (shares_frames and self.resource == other.resource)

    def __str__(self) -> str:
        """Return the resource, with its range unless complete."""
        if (self.first, self.last) == (0, LAST_CHANNEL):
            return self.resource
        if self.first == self.last:
            return f"{self.resource} channel {self.first}"
        return f"{self.resource} channels {self.first} to {self.last}"


def overlaps_within(claims: Mapping[str, tuple[Claim, ...]]) -> dict[str, str]:
    """Return name -> reason for devices that conflict with earlier ones.

    :param claims: name, such as ``par1`` -> its claims, in the order of preference.
    """
    reasons: dict[str, str] = {}
    for name, own in claims.items():
        for other, taken in claims.items():
            if other == name:
                break
            shared = [claim for claim in own if any(claim.overlaps(t) for t in taken)]
            if shared and other not in reasons:
                reasons[name] = (
                    f"{name}: drives {shared[0]}, which {other} drives, too; remove one of them, "
                    "or give it another address"
                )
                break
    return reasons


def local_resource(protocol: str, path: str) -> str:
    """Return the resource of a device file, specific to this machine.

    Links such as those in ``/dev/serial/by-id`` have the same resource as their target.
    """
    return f"{protocol}://{socket.gethostname()}{os.path.realpath(path)}"


def network_resource(protocol: str, host: str, *parts: object) -> str:
    """Return the resource of a lamp at ``host``; loopback is machine-specific.

    :param host: IP address or name, as configured; it is not resolved.
    :param parts: port, universe or other numbers that distinguish the lamps at one host.
    """
    place = socket.gethostname() if _is_loopback(host) else host.lower().rstrip(".")
    return "/".join([f"{protocol}://{place}", *map(str, parts)])


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
