# SPDX-License-Identifier: Apache-2.0
"""Decides which lamps this node may drive, from its own claims and those of other nodes."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from ambient_light_driver.devices.claims import Claim

DISCOVERY_S = 1.0
"""Time after the start before any lamp is taken: others may not be known yet [s]."""

CONTEST_S = 0.25
"""Time between claiming a lamp and driving it, for others that claim it just now [s]."""

LEASE_S = 3.0
"""Claims of a node that has not been heard for this long are void: it has died [s]."""

MAX_PEERS = 64
"""Bound on the memory that claims of ever new nodes can take."""


@dataclass(frozen=True, slots=True)
class DeviceClaim:
    """A claim and the device that makes it.

    :param device: name among its node's devices.
    :param claim: what it drives or wants to drive.
    :param held: whether it drives it.
    """

    device: str
    claim: Claim
    held: bool


@dataclass(frozen=True, slots=True)
class PeerClaims:
    """All claims of another node.

    :param node: its fully qualified name.
    :param instance: unique to this run of it; of two equal claims the lower instance wins.
    :param claims: its claims; none when it has ended.
    """

    node: str
    instance: str
    claims: tuple[DeviceClaim, ...]


def new_instance() -> str:
    """Return a unique name that sorts by the time of its creation."""
    return f"{time.time_ns():020d}-{uuid.uuid4().hex}"


class ClaimLedger:
    """Keeps the claims of all nodes and grants those of this one.

    A lamp that a node drives stays with that node. Of two nodes that want the same free lamp, or
    that drive it after they had not heard each other, the one that was started first gets it.

    :param instance: of this node, see :class:`PeerClaims`.
    :param now_s: the current time, here and in all methods by the same monotonic clock [s].
    """

    def __init__(self, instance: str, now_s: float) -> None:
        self.instance = instance
        self._start_s = now_s
        self._peers: dict[str, tuple[PeerClaims, float]] = {}
        self._wanted_s: dict[tuple[str, tuple[Claim, ...]], float] = {}
        self._held: set[tuple[str, tuple[Claim, ...]]] = set()

    def hear(self, peer: PeerClaims, now_s: float) -> None:
        """Replace what is known about another node; own messages are ignored."""
        if peer.instance == self.instance:
            return
        self._peers.pop(peer.instance, None)
        if peer.claims:
            if len(self._peers) >= MAX_PEERS:
                self._peers.pop(next(iter(self._peers)))
            self._peers[peer.instance] = peer, now_s

    def decide(self, wanted: Mapping[str, tuple[Claim, ...]], now_s: float) -> dict[str, str]:
        """Claim what ``wanted`` says and return device -> reason for those that must wait.

        The reason is empty while there is only the time to wait in which others may object.

        :param wanted: all devices of this node that are to run, with their claims.
        """
        self._peers = {
            instance: (peer, heard_s)
            for instance, (peer, heard_s) in self._peers.items()
            if now_s - heard_s < LEASE_S
        }
        entries = set(wanted.items())
        self._wanted_s = {entry: self._wanted_s.get(entry, now_s) for entry in entries}
        self._held &= entries
        reasons = {}
        for entry in wanted.items():
            reason = self._obstacle(entry)
            if reason or self._must_wait(entry, now_s):
                self._held.discard(entry)
                reasons[entry[0]] = reason
            else:
                self._held.add(entry)
        return reasons

    def own_claims(self) -> tuple[DeviceClaim, ...]:
        """Return what to announce to other nodes."""
        return tuple(
            DeviceClaim(device, claim, (device, claims) in self._held)
            for device, claims in self._wanted_s
            for claim in claims
        )

    def _obstacle(self, entry: tuple[str, tuple[Claim, ...]]) -> str:
        """Return which other node has a stronger claim; empty when none has."""
        device, claims = entry
        held = entry in self._held
        for peer, _ in self._peers.values():
            for other in peer.claims:
                shared = next((claim for claim in claims if claim.excludes(other.claim)), None)
                is_stronger = other.held > held or (
                    other.held == held and peer.instance < self.instance
                )
                if shared is not None and is_stronger:
                    verb = "driven" if other.held else "claimed"
                    return (
                        f"{device}: {shared} is {verb} by {other.device} of the node {peer.node}; "
                        "it is taken over when that node releases it"
                    )
        return ""

    def _must_wait(self, entry: tuple[str, tuple[Claim, ...]], now_s: float) -> bool:
        """Return whether others may not have heard of a claim, or not have been heard, yet."""
        if not entry[1] or entry in self._held:
            return False
        earliest_s = max(self._start_s + DISCOVERY_S, self._wanted_s[entry] + CONTEST_S)
        return now_s < earliest_s
