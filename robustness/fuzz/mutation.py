# SPDX-License-Identifier: Apache-2.0
"""Edge-case values and slightly damaged bytes."""

from __future__ import annotations

import math
from random import Random
from typing import Any

NASTY_FLOATS = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, 1e-45, 1e-300, 1e38, -1e38, 1e300, -1e300),
    *(math.inf, -math.inf, math.nan),
)
NASTY_INTEGERS = (0, 1, 2, 7, 8, 127, 128, 255, 256, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1)
NASTY_TEXTS = (
    *("", " ", "\0", "\n", "/", "..", "../../etc/passwd", "~", "%s%n", "{}", "${HOME}", "-"),
    *("ä", "\u202e", "\U0001f600", "x" * 300, "'; --", "<script>", "nan", "1e999", "//", "/a//b"),
)


def nasty_float(rng: Random) -> float:
    """Return a number, more often than not an edge case."""
    if rng.random() < 0.6:
        return rng.choice(NASTY_FLOATS)
    return rng.uniform(-2.0, 2.0) * 10.0 ** rng.randint(-6, 6)


def nasty_integer(rng: Random, low: int, high: int) -> int:
    """Return an integer in [low, high], usually near an edge case."""
    value = rng.choice((low, high, *NASTY_INTEGERS)) + rng.randint(-1, 1)
    return min(high, max(low, value)) if rng.random() < 0.9 else rng.randint(low, high)


def nasty_text(rng: Random) -> str:
    """Return an edge-case text."""
    if rng.random() < 0.5:
        return rng.choice(NASTY_TEXTS)
    return "".join(chr(rng.choice((rng.randrange(32, 127), rng.randrange(0xD7FF)))) for _ in "123")


def nasty_value(rng: Random, depth: int = 2) -> Any:
    """Return a value of JSON or YAML."""
    kind = rng.randrange(8 if depth else 5)
    if kind == 0:
        return nasty_float(rng)
    if kind == 1:
        return nasty_integer(rng, -(2**40), 2**40)
    if kind == 2:
        return nasty_text(rng)
    if kind == 3:
        return rng.choice((True, False, None))
    if kind == 4:
        return rng.random()
    if kind == 5:
        return [nasty_value(rng, depth - 1) for _ in range(rng.randrange(5))]
    return {nasty_text(rng): nasty_value(rng, depth - 1) for _ in range(rng.randrange(4))}


def mutated(rng: Random, content: bytes, most_changes: int = 8) -> bytes:
    """Return ``content`` with some bytes changed, removed, doubled or inserted."""
    data = bytearray(content)
    for _ in range(rng.randint(1, most_changes)):
        kind = rng.randrange(7)
        at = rng.randrange(len(data) + 1)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif kind == 1 and data:
            data[at % len(data)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            del data[at : at + rng.choice((1, 2, 4, 16, 256))]
        elif kind == 3:
            data[at:at] = rng.randbytes(rng.choice((1, 2, 4, 16)))
        elif kind == 4:
            data[at:at] = data[at : at + rng.randint(1, 64)]
        elif kind == 5:
            number = rng.choice(NASTY_INTEGERS) % 2**32
            data[at : at + 4] = number.to_bytes(4, rng.choice(("little", "big")))
        elif rng.random() < 0.2:
            del data[at:]
    return bytes(data)
