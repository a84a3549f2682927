# SPDX-License-Identifier: Apache-2.0
"""Exchange of claims on lamps with other light nodes."""

from __future__ import annotations

import time
from collections.abc import Callable

from fer_msgs.msg import LightClaim, LightClaims
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from ambient_light_driver.devices.claim_ledger import ClaimLedger, DeviceClaim, PeerClaims
from ambient_light_driver.devices.claims import LAST_CHANNEL, Claim

TOPIC = "/light_claims"
"""The same for all nodes, whatever their namespaces: a lamp has no namespace."""

REPEAT_S = 1.0
"""Time after which unchanged claims are repeated; a third of the lease [s]."""

MAX_CLAIMS = 1024
"""Claims read from one message."""

MAX_NAME_LENGTH = 256
RELEASE_S = 0.5
"""Longest wait for other nodes to confirm the release at the end [s]."""


class ClaimExchange:
    """Publishes the claims of a ledger and fills it with those of other nodes.

    :param node: the node to publish for.
    :param ledger: whose claims these are.
    :param clock: the ledger's clock [s].
    """

    def __init__(
        self, node: Node, ledger: ClaimLedger, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = node.get_fully_qualified_name()
        self._ledger = ledger
        self._clock = clock
        self._announced: tuple[DeviceClaim, ...] = ()
        self._announced_s = 0.0
        latched = QoSProfile(
            depth=1,
            reliability=ReliabilityPolicy.RELIABLE,
            durability=DurabilityPolicy.TRANSIENT_LOCAL,
        )
        self._publisher = node.create_publisher(LightClaims, TOPIC, latched)
        latched.depth = 100  # one message of each node
        self._subscription = node.create_subscription(LightClaims, TOPIC, self._hear, latched)

    def announce(self) -> None:
        """Publish the claims if they have changed, or to confirm that this node lives."""
        claims = self._ledger.own_claims()
        is_due = bool(claims) and self._clock() - self._announced_s >= REPEAT_S
        if claims != self._announced or is_due:
            self._announced, self._announced_s = claims, self._clock()
            own = PeerClaims(self._name, self._ledger.instance, claims)
            self._publisher.publish(message_from_claims(own))

    def wait_for_release(self) -> None:
        """Wait until other nodes have the last announcement, at most :data:`RELEASE_S`."""
        self._publisher.wait_for_all_acked(Duration(seconds=RELEASE_S))

    def _hear(self, message: LightClaims) -> None:
        self._ledger.hear(claims_from_message(message), self._clock())


def message_from_claims(peer: PeerClaims) -> LightClaims:
    """Convert the claims of a node."""
    return LightClaims(
        node=peer.node,
        instance=peer.instance,
        claims=[
            LightClaim(
                device=entry.device,
                resource=entry.claim.resource,
                first=entry.claim.first,
                last=min(entry.claim.last, LAST_CHANNEL),
                whole_frames=entry.claim.whole_frames,
                held=entry.held,
            )
            for entry in peer.claims
        ],
    )


def claims_from_message(message: LightClaims) -> PeerClaims:
    """Convert the claims of a node, with bounds on what a stranger can send."""
    claims = tuple(
        DeviceClaim(
            entry.device[:MAX_NAME_LENGTH],
            Claim(
                entry.resource[: 4 * MAX_NAME_LENGTH], entry.first, entry.last, entry.whole_frames
            ),
            entry.held,
        )
        for entry in message.claims[:MAX_CLAIMS]
    )
    return PeerClaims(message.node[:MAX_NAME_LENGTH], message.instance[:MAX_NAME_LENGTH], claims)
