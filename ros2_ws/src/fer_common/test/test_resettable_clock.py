# SPDX-License-Identifier: Apache-2.0
from fer_common.resettable_clock import StreamTime


def test_late_frames_count_as_the_last_one_and_a_large_step_back_sets_time_back():
    time = StreamTime()
    assert time.advance(-5.0) == (-5.0, False)
    assert time.advance(10.0) == (10.0, False)
    assert time.advance(9.5) == (10.0, False)
    assert time.advance(9.0) == (10.0, False)
    assert time.advance(8.9) == (8.9, True)
    assert time.advance(9.0) == (9.0, False)
