# SPDX-License-Identifier: Apache-2.0
"""Count input that could not be used, with the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_MAX_REASONS: Final = 10
_MAX_NAMES: Final = 5


@dataclass(frozen=True)
class Unused:
    """Input that could not be used for one reason.

    :ivar what: its kind in the plural, for example "images".
    """

    what: str
    count: int
    reason: str

    def __str__(self) -> str:
        """Return a line for the log."""
        return f"{self.count} {self.what} not used: {self.reason}"


def by_reason(what: str, reasons: Counter[str]) -> list[Unused]:
    """Return one entry per frequent reason, and one for the rest."""
    ordered = reasons.most_common()
    entries = [Unused(what, count, reason) for reason, count in ordered[:_MAX_REASONS]]
    rest = sum(count for _, count in ordered[_MAX_REASONS:])
    return [*entries, Unused(what, rest, "other reasons")] if rest else entries


def by_name(what: str, reason: str, names: Sequence[str]) -> list[Unused]:
    """Return one entry that names the first few."""
    if not names:
        return []
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return [Unused(what, len(names), f"{reason}: {', '.join(names[:_MAX_NAMES])}{more}")]
