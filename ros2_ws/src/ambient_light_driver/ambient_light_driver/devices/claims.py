# SPDX-License-Identifier: Apache-2.0
"""Claims on lamps: who drives what, so that two devices never drive the same light."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LAST_CHANNEL = 0xFFFF_FFFF
"""Largest channel number that a claim can name."""


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """A lamp, or a range of its channels, that only one device may drive.

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
        """Return whether a device of the same node with the claim ``other`` is in the way."""
        return (
            self.resource == other.resource
            and self.first <= other.last
            and other.first <= self.last
        )

    def excludes(self, other: Claim) -> bool:
        """Return whether another node with the claim ``other`` is in the way."""
        shares_frames = self.whole_frames or other.whole_frames
        return self.overlaps(other) or (shares_frames and self.resource == other.resource)

    def __str__(self) -> str:
        """Return the resource, with its range unless that is all of it."""
        if (self.first, self.last) == (0, LAST_CHANNEL):
            return self.resource
        if self.first == self.last:
            return f"{self.resource} channel {self.first}"
        return f"{self.resource} channels {self.first} to {self.last}"


def first_overlap(claims: Iterable[Claim], others: Iterable[Claim]) -> Claim | None:
    """Return the first of ``claims`` that overlaps one of ``others``, or None."""
    others = tuple(others)
    return next((c for c in claims if any(c.overlaps(other) for other in others)), None)
