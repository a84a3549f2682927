# SPDX-License-Identifier: Apache-2.0
"""Build diagnostic messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue


def diagnostic_status(
    node: str, part: str, level: bytes, text: str, values: Mapping[str, object]
) -> DiagnosticStatus:
    """Return the status of one part of a node.

    :param node: full name without its first slash.
    :param level: OK, WARN or ERROR of ``DiagnosticStatus``.
    :param values: shown beside the text, as their ``str``.
    """
    return DiagnosticStatus(
        level=level,
        name=f"{node}: {part}",
        hardware_id=node,
        message=text,
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
    )


def diagnostic_array(stamp: Time, statuses: Iterable[DiagnosticStatus]) -> DiagnosticArray:
    """Put ``statuses`` into one message."""
    array = DiagnosticArray(status=list(statuses))
    array.header.stamp = stamp
    return array
