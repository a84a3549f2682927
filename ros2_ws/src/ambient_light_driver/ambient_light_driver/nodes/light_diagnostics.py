# SPDX-License-Identifier: Apache-2.0
"""Health of the light as diagnostic messages."""

from __future__ import annotations

from dataclasses import dataclass, replace

from diagnostic_msgs.msg import DiagnosticStatus

from ambient_light_driver.devices.device_worker import DevicePhase, DeviceStatus
from fer_common.nodes.diagnostics import diagnostic_status

_PHASE_LEVELS = {
    DevicePhase.CONNECTING: DiagnosticStatus.WARN,
    DevicePhase.CONNECTED: DiagnosticStatus.OK,
    DevicePhase.LOST: DiagnosticStatus.ERROR,
    DevicePhase.HANGING: DiagnosticStatus.ERROR,
    DevicePhase.STOPPED: DiagnosticStatus.WARN,
}


@dataclass(frozen=True, slots=True)
class InputCounts:
    """What came in since the node was started.

    :param messages: emotion messages received.
    :param faces: usable faces in them.
    :param rejected_faces: faces whose scores were no probability distribution.
    :param ignored_faces: faces beyond the number that is read from one message.
    """

    messages: int = 0
    faces: int = 0
    rejected_faces: int = 0
    ignored_faces: int = 0

    def plus(self, faces: int, rejected: int, ignored: int) -> InputCounts:
        """Return the counts after one more message."""
        return replace(
            self,
            messages=self.messages + 1,
            faces=self.faces + faces,
            rejected_faces=self.rejected_faces + rejected,
            ignored_faces=self.ignored_faces + ignored,
        )


def input_status(
    node: str, part: str, topic: str, now: InputCounts, before: InputCounts, period_s: float
) -> DiagnosticStatus:
    """Report on the emotion messages of the last ``period_s`` seconds.

    :param part: what to call the input.
    """
    rate_hz = (now.messages - before.messages) / period_s
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
    return diagnostic_status(node, part, level, text, values)


def output_status(
    node: str, label: str, rate_hz: float, wanted_rate_hz: float, flash_limited: int
) -> DiagnosticStatus:
    """Report on the published colour and the flash limiter."""
    if rate_hz < 0.8 * wanted_rate_hz:
        level, text = DiagnosticStatus.WARN, f"{rate_hz:.1f} of {wanted_rate_hz:.0f} colours/s"
    else:
        level, text = DiagnosticStatus.OK, f"showing {label}"
    values = {"label": label, "rate_hz": f"{rate_hz:.1f}", "flash_limited": flash_limited}
    return diagnostic_status(node, "output", level, text, values)


def device_status(node: str, device: str, status: DeviceStatus) -> DiagnosticStatus:
    """Report on one lamp."""
    text = f"{status.phase.value}: {status.reason}" if status.reason else status.phase.value
    values = {
        "phase": status.phase.value,
        "reason": status.reason,
        "sent": status.sent,
        "superseded": status.superseded,
        "failures": status.failures,
        "recoveries": status.recoveries,
    }
    return diagnostic_status(node, f"device {device}", _PHASE_LEVELS[status.phase], text, values)


def device_config_status(node: str, device: str, error: str) -> DiagnosticStatus:
    """Report on a lamp that cannot be used as it is configured."""
    return diagnostic_status(node, f"device {device}", DiagnosticStatus.ERROR, error, {})
