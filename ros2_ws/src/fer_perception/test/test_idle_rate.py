# SPDX-License-Identifier: Apache-2.0
"""Few images are processed while nobody is there, all once someone comes."""

import pytest

from fer_perception.runtime.idle_rate import IDLE_AFTER_S, IdleRate
from fer_perception.runtime.rate_limit import RateLimit

CAMERA_HZ = 30.0


class Stream:
    """A camera whose images are processed at the rate of the idle mode."""

    def __init__(self, idle_rate_hz, full_rate_hz=0.0):
        self.idle, self.limit = IdleRate(), RateLimit()
        self.idle.idle_rate_hz, self.full_rate_hz = idle_rate_hz, full_rate_hz
        self.images = 0

    def run(self, seconds, is_anyone):
        """Return the times since now at which an image is processed."""
        processed, begin_s = [], self.images / CAMERA_HZ
        for _ in range(round(seconds * CAMERA_HZ)):
            now_s = self.images / CAMERA_HZ
            self.images += 1
            if self.limit.allows(now_s, self.idle.rate_hz(self.full_rate_hz)):
                self.idle.note(is_anyone, now_s)
                processed.append(now_s - begin_s)
        return processed


def test_nobody_is_looked_for_twice_a_second_after_a_while():
    stream = Stream(2.0)
    assert len(stream.run(5.0, is_anyone=True)) == 150
    assert not stream.idle.is_idle
    first = stream.run(IDLE_AFTER_S, is_anyone=False)
    assert len(first) == 60
    assert 19 <= len(stream.run(10.0, is_anyone=False)) <= 22
    assert stream.idle.is_idle


@pytest.mark.parametrize("arrival_s", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
@pytest.mark.parametrize("full_rate_hz", [0.0, 10.0, 30.0])
def test_who_comes_is_seen_within_half_a_second_and_then_at_the_full_rate(arrival_s, full_rate_hz):
    stream = Stream(2.0, full_rate_hz)
    stream.run(5.0 + arrival_s, is_anyone=False)
    seen = stream.run(2.5, is_anyone=True)
    assert seen[0] <= 0.5 + 1e-6
    assert not stream.idle.is_idle
    period_s = 1.0 / (full_rate_hz or CAMERA_HZ)
    gaps = [b - a for a, b in zip(seen, seen[1:], strict=False)]
    assert max(gaps) <= 1.5 * period_s + 1.0 / CAMERA_HZ


def test_a_slower_full_rate_stays():
    stream = Stream(5.0, full_rate_hz=1.0)
    assert len(stream.run(10.0, is_anyone=False)) <= 11


def test_without_an_idle_rate_every_image_is_processed():
    stream = Stream(0.0)
    assert len(stream.run(20.0, is_anyone=False)) == 600
    assert not stream.idle.is_idle
