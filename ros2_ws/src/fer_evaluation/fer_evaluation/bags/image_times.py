# SPDX-License-Identifier: Apache-2.0
"""Decide between stamps and times of recording."""

from __future__ import annotations

import struct
from collections import Counter

from fer_perception.runtime.frame_clock import FrameClock

from .bag_reader import OpenBag

_STAMP: dict[bool, struct.Struct] = {True: struct.Struct("<iI"), False: struct.Struct(">iI")}
# After CDR's encapsulation; a header is the first field of both types of images.
_STAMP_OFFSET = 4


def header_stamp_ns(data: bytes) -> int | None:
    """Return the header's stamp of a serialised message; None without one."""
    if len(data) < _STAMP_OFFSET + 8:
        return None
    seconds, nanoseconds = _STAMP[bool(data[1] & 1)].unpack_from(data, _STAMP_OFFSET)
    return int(seconds) * 10**9 + int(nanoseconds)


def stamp_fault(bag: OpenBag, topic: str) -> str:
    """Compare an image topic's stamps with the times of recording.

    :returns: what is wrong with most of the stamps that are wrong, to follow "the stamps"; empty
        where nothing is.
    """
    clock, faults = FrameClock(), Counter[str]()
    for message in bag.messages({topic}):
        stamp_ns = header_stamp_ns(message.data)
        if stamp_ns is None:
            continue
        faults[clock.advance(stamp_ns * 1e-9, message.stamp_ns * 1e-9).fault] += 1
    del faults[""]
    return faults.most_common(1)[0][0] if faults else ""
