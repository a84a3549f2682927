# SPDX-License-Identifier: Apache-2.0
"""Diagnostic levels of the perception's latency."""

import math
from dataclasses import replace

import pytest

pytest.importorskip("diagnostic_msgs", reason="no ROS 2: the diagnostics were not tested")

from diagnostic_msgs.msg import DiagnosticStatus  # noqa: E402

from fer_perception.nodes.emotion_diagnostics import frames_status, latency_status  # noqa: E402
from fer_perception.nodes.image_input import InputState  # noqa: E402
from fer_perception.runtime.frame_statistics import FrameStatistics  # noqa: E402
from fer_perception.runtime.idle_rate import IDLE_AFTER_S, IdleRate  # noqa: E402
from fer_perception.runtime.load_shedding import LEAST_EFFORT, LoadShedder  # noqa: E402


def report(latency_s):
    statistics = FrameStatistics()
    return replace(
        statistics.report(0.0),
        rate_hz=30.0,
        latency_p50_s=latency_s,
        latency_p95_s=2 * latency_s,
        silence_s=0.0,
    )


def shedder_after(latency_s, frames, max_latency_s=0.1):
    shedder = LoadShedder(max_latency_s)
    for _ in range(frames):
        shedder.update(latency_s)
    return shedder


@pytest.mark.parametrize(
    ("latency_s", "frames", "level", "words"),
    [
        (0.02, 100, DiagnosticStatus.OK, "p50 20 ms, p95 40 ms"),
        (0.15, 40, DiagnosticStatus.WARN, "of the full effort to stay below 0.1 s"),
        (0.5, 500, DiagnosticStatus.ERROR, "although no more can be left out"),
    ],
)
def test_level_and_words_follow_from_what_had_to_be_left_out(latency_s, frames, level, words):
    shedder = shedder_after(latency_s, frames)
    assert (shedder.effort <= LEAST_EFFORT) == (level == DiagnosticStatus.ERROR)
    status = latency_status("fer_perception", report(latency_s), shedder)
    assert (status.name, status.level) == ("fer_perception: latency", level)
    assert words in status.message


def test_without_a_limit_no_latency_is_too_high():
    status = latency_status("n", report(5.0), shedder_after(5.0, 100, max_latency_s=0.0))
    assert status.level == DiagnosticStatus.OK


def test_without_a_frame_there_is_no_latency():
    status = latency_status("n", report(math.nan), LoadShedder(0.1))
    assert status.level == DiagnosticStatus.OK
    assert "nan" not in status.message


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (FrameStatistics.count_rejected, "33% of the images cannot be used"),
        (FrameStatistics.count_damaged, "50% of the images are damaged"),
        (FrameStatistics.count_nearly_black, "50% of the images are nearly black"),
    ],
)
def test_images_that_are_not_as_they_should_be_are_a_warning_while_they_come(count, words):
    statistics = FrameStatistics()
    for frame in range(20):
        statistics.count_received(0.1 * frame, replaced=False)
        statistics.count_processed(0.1 * frame, 0.02)
        if frame % 2:
            count(statistics, 0.1 * frame)
    status = frames_status("n", InputState("/image"), statistics.report(2.0), "", IdleRate())
    assert status.level == DiagnosticStatus.WARN and words in status.message
    statistics.count_received(10.0, replaced=False)
    statistics.count_processed(10.0, 0.02)
    later = frames_status(
        "n", InputState("/image"), statistics.report(10.0), "run backwards", IdleRate()
    )
    assert words not in later.message and "run backwards" in later.message
    assert "10" in {pair.value for pair in later.values}
    clean = frames_status("n", InputState("/image"), statistics.report(10.0), "", IdleRate())
    assert clean.level == DiagnosticStatus.OK


def test_nobody_there_is_no_fault_but_images_that_cannot_be_used_are():
    idle = IdleRate()
    idle.idle_rate_hz = 0.1
    idle.note(False, 0.0)
    idle.note(False, IDLE_AFTER_S)
    statistics = FrameStatistics()
    statistics.count_passed_over(9.9)
    status = frames_status("n", InputState("/image"), statistics.report(10.0), "", idle)
    assert status.level == DiagnosticStatus.OK and "nobody is there" in status.message
    statistics.count_rejected(10.0)
    status = frames_status("n", InputState("/image"), statistics.report(10.0), "", idle)
    assert status.level == DiagnosticStatus.ERROR
