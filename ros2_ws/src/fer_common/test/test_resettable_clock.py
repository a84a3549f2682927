# SPDX-License-Identifier: Apache-2.0
from fer_common.resettable_clock import Stopwatch, StreamClock


def test_late_frames_count_as_the_last_one_and_a_large_step_back_sets_time_back():
    time = StreamClock()
    assert time.advance(-5.0) == (-5.0, False)
    assert time.advance(10.0) == (10.0, False)
    assert time.advance(9.5) == (10.0, False)
    assert time.advance(9.0) == (10.0, False)
    assert time.advance(8.9) == (8.9, True)
    assert time.advance(9.0) == (9.0, False)


def test_a_stopwatch_goes_on_from_a_clock_that_was_set_back():
    watch = Stopwatch(100.0)
    assert watch.seconds(102.5) == 2.5
    assert watch.seconds(7.0) == 0.0
    assert watch.lap_s(9.0) == 2.0
    assert watch.seconds(9.5) == 0.5
