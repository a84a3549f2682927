# SPDX-License-Identifier: Apache-2.0
"""Natural sort order of file names: frame_2 before frame_10."""

from __future__ import annotations

import re

_DIGITS = re.compile("([0-9]+)")


def natural_key(name: str) -> tuple[list[tuple[str, int]], str]:
    """Return a key for :func:`sorted` that compares numbers within names as numbers."""
    pieces = _DIGITS.split(name.casefold())
    numbers = [*(int(digits) for digits in pieces[1::2]), -1]
    return list(zip(pieces[::2], numbers, strict=True)), name
