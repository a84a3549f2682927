# SPDX-License-Identifier: Apache-2.0
"""Diagnostic messages of the perception."""

from __future__ import annotations

import math

from diagnostic_msgs.msg import DiagnosticStatus

from fer_common.nodes.diagnostics import diagnostic_status

from ..runtime.frame_statistics import FrameReport
from ..runtime.idle_rate import IdleRate
from ..runtime.load_shedding import LEAST_EFFORT, LoadShedder
from .image_input import InputState

# Slower cameras count as stopped.
_SILENCE_S = 2.0


def frames_status(
    node: str, images: InputState, report: FrameReport, time_fault: str, idle: IdleRate
) -> DiagnosticStatus:
    """Report the frames of an active node.

    :param images: the state of the subscription and its publishers.
    :param time_fault: the fault of their stamps; empty without one.
    :param idle: whether few images are processed, as nobody is there.
    """
    topic = images.topic
    if report.silence_s > _SILENCE_S:
        level, text = DiagnosticStatus.WARN, f"no images on {topic}: {_why_silent(images)}"
        if images.incompatible_qos or images.wrong_type:
            level = DiagnosticStatus.ERROR
    elif report.rate_hz == 0.0 and (report.rejected_share or not idle.is_idle):
        level, text = DiagnosticStatus.ERROR, "images arrive, but none can be processed"
    elif warnings := _frame_warnings(report, time_fault):
        level, text = DiagnosticStatus.WARN, "; ".join(warnings)
    else:
        level, text = DiagnosticStatus.OK, f"{report.rate_hz:.1f} frames/s"
        if idle.is_idle:
            text += f": nobody is there, idle_rate_hz is {idle.idle_rate_hz:g}"
    return diagnostic_status(
        node,
        "frames",
        level,
        text,
        {
            "topic": topic,
            "rate_hz": f"{report.rate_hz:.1f}",
            "received": report.received,
            "processed": report.processed,
            "dropped": report.dropped,
            "rejected": report.rejected,
            "damaged": report.damaged,
            "nearly_black": report.nearly_black,
            "passed_over": report.passed_over,
            "time": "receipt" if time_fault else "stamp",
            "idle": idle.is_idle,
        },
    )


def _frame_warnings(report: FrameReport, time_fault: str) -> list[str]:
    """Return a sentence for each fault of the last seconds' frames."""
    warnings = []
    if time_fault:
        warnings.append(
            f"the stamps of the images {time_fault}: the time of receipt is used instead"
        )
    if report.rejected_share:
        warnings.append(f"{report.rejected_share:.0%} of the images cannot be used: see the log")
    if report.damaged_share:
        warnings.append(
            f"{report.damaged_share:.0%} of the images are damaged and decoded only in part"
        )
    if report.nearly_black_share:
        warnings.append(f"{report.nearly_black_share:.0%} of the images are nearly black")
    return warnings


def _why_silent(images: InputState) -> str:
    if images.incompatible_qos:
        return f"a publisher offers incompatible QoS ({images.incompatible_qos})"
    if images.wrong_type:
        return images.wrong_type
    if images.publishers:
        return (
            "its publisher sends none, or they are lost on the way: see 'Large images are lost?' "
            "in the README"
        )
    return "it has no publisher"


def latency_status(node: str, report: FrameReport, shedder: LoadShedder) -> DiagnosticStatus:
    """Report the latency of an active node, from receipt to result."""
    effort, limit_s = shedder.effort, shedder.max_latency_s
    if math.isnan(report.latency_p50_s):
        level, text = DiagnosticStatus.OK, "no frame was processed lately"
    else:
        text = f"p50 {1e3 * report.latency_p50_s:.0f} ms, p95 {1e3 * report.latency_p95_s:.0f} ms"
        late = 0.0 < limit_s < report.latency_p50_s
        if late and effort <= LEAST_EFFORT:
            level = DiagnosticStatus.ERROR
            text += f": above max_latency_s, {limit_s:g} s, although no more can be left out"
        elif late or effort < 1.0:
            level = DiagnosticStatus.WARN
            text += f": at {effort:g} of the full effort to stay below {limit_s:g} s"
        else:
            level = DiagnosticStatus.OK
    return diagnostic_status(
        node,
        "latency",
        level,
        text,
        {
            "latency_p50_ms": f"{1e3 * report.latency_p50_s:.1f}",
            "latency_p95_ms": f"{1e3 * report.latency_p95_s:.1f}",
            "max_latency_ms": f"{1e3 * limit_s:.1f}",
            "effort": f"{effort:g}",
        },
    )


def model_status(
    node: str, model_id: str, execution_provider: str, detector: str, error: str
) -> DiagnosticStatus:
    """Report the model and the detector, or the ``error`` of loading them."""
    level = DiagnosticStatus.ERROR if error else DiagnosticStatus.OK
    values = {
        "model": model_id,
        "execution_provider": execution_provider,
        "detector": detector,
    }
    return diagnostic_status(node, "model", level, error or "ready", values)
