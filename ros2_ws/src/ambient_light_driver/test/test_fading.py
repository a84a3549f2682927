# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient_light_driver.color.fading import DwellGate, ExponentialFade
from ambient_light_driver.color.root_light import RootLight

DARK = RootLight(0.0, 0.0, 0.0)
BRIGHT = RootLight(1.0, 0.9, 0.1)


def test_after_one_time_constant_63_percent_of_the_way_is_done_at_any_rate():
    for steps in (1, 7, 100):
        fade = ExponentialFade(DARK)
        fade.step(DARK, 0.5, 0.0)
        for i in range(steps):
            light = fade.step(BRIGHT, 0.5, 0.5 * (i + 1) / steps)
        assert light.red == pytest.approx(0.632, abs=1e-3)


@pytest.mark.parametrize(("dwell_s", "time_constant_s"), [(0.0, 0.4), (0.3, 0.4), (1.0, 0.1)])
def test_the_documented_delay_to_90_percent_is_true(dwell_s, time_constant_s):
    gate = DwellGate("sad", DARK)
    fade = ExponentialFade(DARK)
    fade.step(DARK, time_constant_s, 0.0)
    delay_s = None
    for i in range(1, 10_000):
        now_s = 0.001 * i
        target = gate.step("happy", BRIGHT, dwell_s, now_s)
        if fade.step(target, time_constant_s, now_s).red >= 0.9:
            delay_s = now_s
            break
    assert delay_s == pytest.approx(dwell_s + 2.303 * time_constant_s, abs=0.005)


def test_time_constant_zero_jumps():
    assert ExponentialFade(DARK).step(BRIGHT, 0.0, 0.0) == BRIGHT


def test_a_fade_arrives():
    fade = ExponentialFade(DARK)
    for i in range(1000):
        light = fade.step(BRIGHT, 0.1, 0.02 * i)
    assert light == BRIGHT


@given(st.lists(st.floats(-1e9, 1e9), min_size=1), st.floats(0.0, 60.0))
def test_a_fade_stays_between_start_and_target_whatever_the_clock_does(times_s, time_constant_s):
    fade = ExponentialFade(DARK)
    for now_s in times_s:
        assert 0.0 <= fade.step(BRIGHT, time_constant_s, now_s).red <= 1.0


def test_a_clock_set_back_does_not_stop_the_fade():
    fade = ExponentialFade(DARK)
    fade.step(BRIGHT, 0.1, 1e6)
    fade.step(BRIGHT, 0.1, 0.0)
    assert fade.step(BRIGHT, 0.1, 10.0) == BRIGHT


def test_another_kind_must_last_without_interruption():
    gate = DwellGate("sad", 1)
    assert gate.step("happy", 2, 0.3, 0.0) == 1
    assert gate.step("sad", 3, 0.3, 0.2) == 3
    assert gate.step("happy", 4, 0.3, 0.4) == 3
    assert gate.step("happy", 5, 0.3, 0.69) == 3
    assert gate.step("happy", 6, 0.3, 0.71) == 6
    assert gate.kind == "happy"


def test_two_other_kinds_in_turn_do_not_share_their_dwell():
    gate = DwellGate("sad", 1)
    for i in range(20):
        kind = "happy" if i % 2 else "angry"
        assert gate.step(kind, 2, 0.3, 0.2 * i) == 1
