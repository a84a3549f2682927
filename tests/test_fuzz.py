# SPDX-License-Identifier: Apache-2.0
"""A short run of ``make fuzz``, and its detection of planted faults."""

import os
import signal
import subprocess
import sys
import time

import pytest

from robustness.fuzz.campaign import run
from robustness.fuzz.target import Target
from robustness.fuzz.targets import TARGETS

SHARE = 0.002
"""Of the inputs of ``make fuzz``: some thousand."""


def test_hostile_inputs_are_refused_and_nothing_else_happens(repository):
    words = [sys.executable, "-m", "robustness.fuzz.run", "--share", str(SHARE), "--seed", "1"]
    done = subprocess.run(words, cwd=repository, capture_output=True, text=True)
    print(done.stdout, done.stderr[-2000:])
    assert done.returncode == 0
    for name in (*TARGETS, "live_nodes"):
        assert name in done.stdout


def test_a_whole_run_tries_a_million_inputs():
    assert sum(target.inputs for target in TARGETS.values()) >= 10**6


def target(try_one) -> Target:
    return Target("made_to_fail", 100, lambda: try_one, (ValueError,))


def fails_at(number, what):
    """Return a target that fails at input ``number``."""
    tried = []

    def try_one(_rng):
        tried.append(1)
        if len(tried) == number + 1:
            what()
        raise ValueError("as it should")

    return try_one


def test_a_refusal_is_no_failure(tmp_path):
    report = run(target(fails_at(-1, None)), 50, tmp_path)
    assert (report.inputs, report.refused, report.failures) == (50, 50, [])


def test_another_exception_is_a_crash_and_the_rest_is_tried(tmp_path):
    report = run(target(fails_at(7, lambda: {}["missing"])), 50, tmp_path)
    [failure] = report.failures
    assert (failure.kind, failure.number) == ("crash", 7) and "KeyError" in failure.text
    assert report.inputs == 50


def test_a_killed_process_is_a_crash_and_the_rest_is_tried(tmp_path):
    report = run(target(fails_at(7, lambda: os.kill(os.getpid(), signal.SIGKILL))), 10, tmp_path)
    # In the process after it, the inputs after it, the seventh is made to fail again.
    assert [(f.kind, f.number, f.text) for f in report.failures] == [
        ("crash", 7, "killed by SIGKILL")
    ]
    assert report.inputs == 10


def test_an_input_without_end_is_a_hang(tmp_path):
    def wait_for_ever():
        while True:
            time.sleep(1000.0)

    report = run(target(lambda _rng: wait_for_ever()), 1, tmp_path)
    assert [(f.kind, f.number) for f in report.failures] == [("hang", 0)]


def test_a_machine_that_stood_still_once_is_no_hang(tmp_path):
    marker = tmp_path / "stood_still"

    def slow_once(_rng):
        if not marker.exists():
            marker.touch()
            time.sleep(5.0)

    assert run(target(slow_once), 5, tmp_path).failures == []


def test_memory_that_grows_is_told(tmp_path):
    kept = []
    report = run(target(lambda rng: kept.append(rng.randbytes(1 << 18))), 400, tmp_path)
    assert [failure.kind for failure in report.failures] == ["growth"]
    assert report.growth_kib > 20_000


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_an_input_can_be_made_again(name):
    rngs = [TARGETS[name].input_rng(seed, number) for seed, number in ((0, 5), (0, 5), (1, 5))]
    first, same, other = (rng.random() for rng in rngs)
    assert first == same != other
