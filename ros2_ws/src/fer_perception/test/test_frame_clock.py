# SPDX-License-Identifier: Apache-2.0
"""Frame times for valid and for faulty stamps."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_perception.runtime.frame_clock import FrameClock

WALL_S = 1.7e9
FRAMES = 120


def received(count=FRAMES, rate_hz=30.0, start_s=5000.0):
    return [start_s + number / rate_hz for number in range(count)]


def run(stamps, references):
    clock = FrameClock()
    return [clock.advance(*pair) for pair in zip(stamps, references, strict=True)]


def steps(values):
    return [after - before for before, after in zip(values, values[1:], strict=False)]


@given(
    rate_hz=st.floats(0.5, 120.0),
    speed=st.floats(0.02, 50.0),
    repeats=st.integers(1, 3),
    jitter=st.floats(0.0, 0.9),
    start_s=st.sampled_from([1e-3, 40.0, WALL_S]),
    seed=st.integers(0, 2**16),
)
def test_plausible_stamps_are_the_time_at_any_rate_and_speed(
    rate_hz, speed, repeats, jitter, start_s, seed
):
    rng = random.Random(seed)
    # Copies of a frame come at once, as from two routes; jitter is that of the way.
    references = [t + jitter * rng.random() / rate_hz for t in received(rate_hz=rate_hz)]
    references = [references[k // repeats * repeats] for k in range(FRAMES)]
    stamps = [start_s + speed * (k // repeats * repeats) / rate_hz for k in range(FRAMES)]
    times = run(stamps, references)
    assert [t.time_s for t in times] == stamps
    assert {t.fault for t in times} == {""}


@pytest.mark.parametrize(
    ("fault", "stamps"),
    [
        ("stand still", lambda k, t: WALL_S),
        ("are 0", lambda k, t: 0.0),
        ("advance about 1000 times too slowly", lambda k, t: WALL_S + 1e-3 * t),
        ("advance about 1e+06 times too slowly", lambda k, t: WALL_S + 1e-6 * t),
        ("advance about 1000 times too fast", lambda k, t: 1e3 * t),
        ("jump back and forth, as of two clocks in turn", lambda k, t: WALL_S if k % 2 else t),
        ("jump back and forth", lambda k, t: WALL_S + t if k % 2 else 0.0),
        ("run backwards", lambda k, t: WALL_S - t),
        ("run backwards", lambda k, t: WALL_S - 5.0 * k),
        ("repeat themselves", lambda k, t: WALL_S + 0.5 * (k // 5)),
        ("repeat themselves", lambda k, t: WALL_S + 0.1 * (k // 2)),
        ("jump back and forth", lambda k, t: WALL_S + t if k % 3 else t),
        ("repeat themselves", lambda k, t: WALL_S + 0.1 * (k % 4)),
        ("repeat themselves", lambda k, t: WALL_S + 0.02 * (k % 5)),
    ],
)
@pytest.mark.parametrize("rate_hz", [2.0, 30.0])
def test_where_stamps_are_wrong_the_time_of_receipt_counts(fault, stamps, rate_hz):
    references = received(rate_hz=rate_hz)
    times = run([stamps(k, t - 5000.0) for k, t in enumerate(references)], references)
    # Few frames and little time are needed to see it.
    late = [k for k, t in enumerate(references) if t - 5000.0 > 1.0 and k > 16]
    assert all(times[k].fault.startswith(fault) for k in late)
    advance = steps([times[k].time_s for k in late])
    assert advance == pytest.approx([1.0 / rate_hz] * len(advance), abs=1e-5)


@given(st.lists(st.floats(0.0, 2.0), min_size=2, max_size=60), st.data())
def test_time_never_goes_back_while_the_receipt_counts(waits, data):
    clock, reference_s, last = FrameClock(), 0.0, None
    for wait_s in waits:
        reference_s += wait_s
        stamp_s = data.draw(st.sampled_from([0.0, 1.0, WALL_S, reference_s, 1e-3 * reference_s]))
        now = clock.advance(stamp_s, reference_s)
        if last is not None and now.fault:
            assert now.time_s == pytest.approx(last.time_s + wait_s, abs=1e-5)
        last = now


def test_a_bag_in_a_loop_sets_time_back_once_a_round():
    stamps = [WALL_S + (number % 60) / 30.0 for number in range(4 * 60)]
    times = run(stamps, received(len(stamps)))
    assert [t.time_s for t in times] == stamps
    assert {t.fault for t in times} == {""}


def test_a_seek_forwards_and_a_pause_are_no_fault():
    stamps = [WALL_S + number / 30.0 + (3600.0 if number > 50 else 0.0) for number in range(120)]
    references = [t + (60.0 if number > 80 else 0.0) for number, t in enumerate(received())]
    assert {t.fault for t in run(stamps, references)} == {""}


def test_a_clock_that_starts_late_takes_over_without_a_step():
    references = received()
    stamps = [0.0 if k < 60 else WALL_S + k / 30.0 for k in range(FRAMES)]
    times = run(stamps, references)
    assert times[59].fault and not times[-1].fault
    assert steps([t.time_s for t in times]) == pytest.approx([1 / 30] * (FRAMES - 1), abs=1e-5)


def test_frames_of_a_bag_that_were_all_recorded_at_once_have_their_stamps_times():
    stamps = [WALL_S + number / 30.0 for number in range(60)]
    assert [t.time_s for t in run(stamps, [7.0] * 60)] == stamps


@pytest.mark.parametrize("held_s", [0.3, 0.5, 0.9])
def test_stamps_that_are_held_for_less_than_a_second_repeat(held_s):
    references = received(rate_hz=10.0)
    stamps = [WALL_S + (t - 5000.0) // held_s * held_s for t in references]
    times = run(stamps, references)
    assert {t.fault for t in times[30:]} == {"repeat themselves"}
    assert steps([t.time_s for t in times[30:]]) == pytest.approx([0.1] * (FRAMES - 31), abs=1e-5)


def test_copies_that_come_late_and_one_pause_of_a_camera_are_no_repetition():
    references = [t + 0.005 * (k % 2) for k, t in enumerate(sorted(received() * 2))]
    stamps = sorted(WALL_S + t for t in received() * 2)
    assert {t.fault for t in run(stamps, references)} == {""}
    paused = [WALL_S + (k if k < 50 or k > 65 else 50) / 30.0 for k in range(FRAMES)]
    assert {t.fault for t in run(paused, received())} == {""}
