# SPDX-License-Identifier: Apache-2.0
"""Diagnostic messages of the light."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticStatus

from ambient_light_driver.devices.device_worker import DevicePhase, DeviceStatus
from ambient_light_driver.nodes.faces_input import InputCounts
from fer_common.nodes.diagnostics import diagnostic_status

_PHASE_LEVELS = {
    DevicePhase.CONNECTING: DiagnosticStatus.WARN,
    DevicePhase.CONNECTED: DiagnosticStatus.OK,
    DevicePhase.LOST: DiagnosticStatus.ERROR,
    DevicePhase.HANGING: DiagnosticStatus.ERROR,
    DevicePhase.STOPPED: DiagnosticStatus.WARN,
}


class LightReport:
    """Build the diagnostic statuses of a light.

    :param node: fully qualified name of the node.
    :param period_s: time between two reports [s].
    """

    def __init__(self, node: str, period_s: float) -> None:
        self._node = node.lstrip("/")
        self._period_s = period_s
        self._inputs: dict[str, InputCounts] = {}
        self._published = 0

    def inputs(self, counts: Mapping[str, InputCounts]) -> list[DiagnosticStatus]:
        """Report the messages per topic since the last report."""
        before, self._inputs = self._inputs, dict(counts)
        return [
            self._input(
                f"input {topic}" if len(counts) > 1 else "input",
                topic,
                now,
                before.get(topic, InputCounts()),
            )
            for topic, now in counts.items()
        ]

    def output(
        self, label: str, published: int, wanted_rate_hz: float, flash_limited: int
    ) -> DiagnosticStatus:
        """Report the published colour and the flash limiter.

        :param published: colours published since the node was configured.
        """
        rate_hz = max(0, published - self._published) / self._period_s
        self._published = published
        if rate_hz < 0.8 * wanted_rate_hz:
            level, text = DiagnosticStatus.WARN, f"{rate_hz:.1f} of {wanted_rate_hz:.0f} colours/s"
        else:
            level, text = DiagnosticStatus.OK, f"showing {label}"
        values = {"label": label, "rate_hz": f"{rate_hz:.1f}", "flash_limited": flash_limited}
        return self._status("output", level, text, values)

    def devices(
        self, statuses: Mapping[str, DeviceStatus], errors: Mapping[str, str]
    ) -> list[DiagnosticStatus]:
        """Report the driven lamps, and failed ones with the reason."""
        return [
            *(self._device(name, status) for name, status in statuses.items()),
            *(
                self._status(_part(name), DiagnosticStatus.ERROR, error, {})
                for name, error in errors.items()
            ),
        ]

    def _input(
        self, part: str, topic: str, now: InputCounts, before: InputCounts
    ) -> DiagnosticStatus:
        rate_hz = (now.messages - before.messages) / self._period_s
        rejected = now.rejected_faces - before.rejected_faces
        if rejected:
            level, text = DiagnosticStatus.WARN, f"{rejected} faces without usable scores"
        elif rate_hz == 0.0:
            level, text = DiagnosticStatus.WARN, f"no emotion messages on {topic}"
        else:
            level, text = DiagnosticStatus.OK, f"{rate_hz:.1f} messages/s"
        values = {
            "topic": topic,
            "rate_hz": f"{rate_hz:.1f}",
            "messages": now.messages,
            "faces": now.faces,
            "rejected_faces": now.rejected_faces,
            "ignored_faces": now.ignored_faces,
        }
        return self._status(part, level, text, values)

    def _device(self, device: str, status: DeviceStatus) -> DiagnosticStatus:
        text = f"{status.phase.value}: {status.reason}" if status.reason else status.phase.value
        values = {
            "phase": status.phase.value,
            "reason": status.reason,
            "sent": status.sent,
            "superseded": status.superseded,
            "failures": status.failures,
            "recoveries": status.recoveries,
        }
        return self._status(_part(device), _PHASE_LEVELS[status.phase], text, values)

    def _status(
        self, part: str, level: bytes, text: str, values: Mapping[str, object]
    ) -> DiagnosticStatus:
        return diagnostic_status(self._node, part, level, text, values)


def _part(name: str) -> str:
    """Return a lamp's name as a part of the node."""
    return name if name.startswith("relay ") else f"device {name}"
