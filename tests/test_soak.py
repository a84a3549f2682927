# SPDX-License-Identifier: Apache-2.0
"""A short run of ``make soak``, and its detection of planted faults."""

import math
import subprocess
import sys
import time

import pytest

from bench.process_usage import ProcessUsage
from real_peers import wait_until
from robustness.soak import long_run
from robustness.soak.flashes import MAX_FLASHES, FlashCounter
from robustness.soak.long_run import PRIVATE, LongRunReport, Watched
from robustness.soak.throttle import throttled
from robustness.soak.trend import Trend

SECONDS = 6.0


def test_the_whole_graph_runs_with_faults_and_loses_nothing():
    report = long_run.run(SECONDS)
    print(report)
    assert report.is_good
    assert report.swings >= 2, "a constant lamp does not test flashes"
    assert report.recoveries_s
    assert {(w.of, w.quantity) for w in report.watched} >= {
        ("fer_perception", PRIVATE),
        ("ambient_light", "files"),
        ("dashboard", "threads"),
        ("graph", "endpoints"),
    }


def test_a_process_that_grows_does_so_in_each_of_its_lives():
    # Twice 100 s in which 2 are added each second, from 50 and from 1000.
    samples = [
        (life, 100.0 * life + t, start + 2.0 * t)
        for life, start in ((0, 50), (1, 1000))
        for t in range(101)
    ]
    trend = Trend.of(samples)
    assert trend.slope_per_h == pytest.approx(7200.0)
    assert trend.growth == pytest.approx(200.0)
    assert (trend.lives, trend.longest_s) == (2, 100.0)


def test_a_new_process_that_holds_more_than_the_one_before_does_not_grow():
    trend = Trend.of((life, 10.0 * life + t, 100.0 * life) for life in (1, 2, 3) for t in range(5))
    assert trend.slope_per_h == 0.0


@pytest.mark.parametrize(
    ("quantity", "by", "flat"),
    [
        (PRIVATE, 5000.0, True),
        (PRIVATE, 20000.0, False),
        ("files", 1.0, True),
        ("files", 9.0, False),
    ],
)
def test_what_grows_or_is_lost_is_told(quantity, by, flat):
    trend = Trend.of([(0, 0.0, 100.0), (0, 600.0, 100.0 + by)])
    report = LongRunReport(1.0, watched=[Watched("node", quantity, trend)])
    assert report.is_good is flat
    assert not LongRunReport(1.0, lost=["camera_stops"]).is_good
    assert not LongRunReport(1.0, violations=1).is_good


@pytest.mark.parametrize(("flashes_hz", "violates"), [(2.5, False), (5.0, True)])
def test_flashes_of_a_lamp_are_counted(flashes_hz, violates):
    counter = FlashCounter()
    for step in range(500):
        t = 0.01 * step
        level = 0.5 + 0.5 * math.sin(2.0 * math.pi * flashes_hz * t)
        counter.see(t, (level, level, level), level)
    assert counter.swings >= 2 * flashes_hz * 5 - 2
    assert (counter.violations > 0) is violates
    assert (counter.worst_flashes > MAX_FLASHES) is violates


def test_a_throttled_process_gets_its_share_of_a_core_and_then_all_again():
    words = [sys.executable, "-c", "print(flush=True)\nwhile True: pass"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            usage = ProcessUsage(process.pid)
            with throttled(process.pid, 0.2):
                begin_s, before_s = time.monotonic(), usage.cpu_s()
                time.sleep(1.0)
                after_s, elapsed_s = usage.cpu_s(), time.monotonic() - begin_s
            assert 0.0 < after_s - before_s <= 0.2 * elapsed_s + 0.1
            wait_until(lambda: usage.cpu_s() > after_s + 0.5, "the process, no longer suspended")
        finally:
            process.kill()
