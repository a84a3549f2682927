# SPDX-License-Identifier: Apache-2.0
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ambient_light_driver.color.light_color import LightColor, relative_luminance
from ambient_light_driver.safety.flash_limiter import (
    LUMINANCE_THRESHOLD,
    READINGS,
    RED_THRESHOLD,
    FlashLimiter,
)

WHITE = LightColor(1.0, 1.0, 1.0, 1.0)
BLACK = LightColor(0.0, 0.0, 0.0, 0.0)
RED = LightColor(1.0, 0.0, 0.0, 1.0)
BLUE = LightColor(0.0, 0.0, 1.0, 1.0)


def swings(values, threshold):
    """Count the alternating changes of at least ``threshold``, from the definition alone."""
    count = 0
    direction = 0
    low = high = values[0]
    for value in values[1:]:
        low, high = min(low, value), max(high, value)
        if direction <= 0 and value - low >= threshold:
            count, direction, low, high = count + 1, 1, value, value
        elif direction >= 0 and high - value >= threshold:
            count, direction, low, high = count + 1, -1, value, value
        elif direction > 0:
            low = high
        elif direction < 0:
            high = low
    return count


def worst_flashes(times_s, values, threshold):
    """Most flashes (pairs of opposing swings) in any window of one second."""
    worst = 0
    for i, start_s in enumerate(times_s):
        window = [v for t, v in zip(times_s[i:], values[i:], strict=True) if t <= start_s + 1.0]
        worst = max(worst, swings(window, threshold) // 2)
    return worst


def assert_safe(times_s, colors, max_flashes=3):
    """The standard's thresholds on each reading, at full precision and rounded to 8 bit."""
    rounded = [LightColor(*(round(255 * c) / 255 for c in color.channels)) for color in colors]
    for shown in (colors, rounded):
        for reading in READINGS:
            linear = [reading(color) for color in shown]
            luminances = [relative_luminance(rgb) for rgb in linear]
            assert worst_flashes(times_s, luminances, 0.10) <= max_flashes
            redness = [320 * max(0.0, r - g - b) for r, g, b in linear]
            assert worst_flashes(times_s, redness, 20.0) <= max_flashes


def run(steps, max_flashes=3):
    limiter = FlashLimiter()
    times_s, colors, now_s = [0.0], [BLACK], 0.0
    for step_s, color in steps:
        now_s += step_s
        times_s.append(now_s)
        colors.append(limiter.step(color, now_s, max_flashes).color)
    return times_s, colors


def test_the_counter_of_this_test_sees_flashes():
    times_s = [0.05 * i for i in range(40)]
    assert worst_flashes(times_s, [float(i % 2) for i in range(40)], 0.10) == 10
    assert worst_flashes(times_s, [0.09 * (i % 2) for i in range(40)], 0.10) == 0
    slow = [0.5 + 0.5 * math.sin(2 * math.pi * 2 * t) for t in times_s]
    assert worst_flashes(times_s, slow, 0.10) == 2


unit = st.floats(0.0, 1.0)
extreme = st.sampled_from([WHITE, BLACK, RED, BLUE, LightColor(1.0, 0.5, 0.0, 0.4)])
any_color = st.one_of(extreme, st.builds(LightColor, unit, unit, unit, unit))
any_step = st.one_of(st.sampled_from([0.001, 0.02, 0.1, 0.17]), st.floats(0.0, 0.6))


@settings(max_examples=300)
@given(st.lists(st.tuples(any_step, any_color), min_size=20, max_size=120), st.integers(1, 3))
def test_no_sequence_at_any_rate_flashes_more_than_allowed(steps, max_flashes):
    assert_safe(*run(steps, max_flashes), max_flashes)


@settings(max_examples=100)
@given(
    st.sampled_from([WHITE, RED, LightColor(1.0, 0.4, 0.4, 1.0), LightColor(0.9, 0.9, 0.9, 0.3)]),
    st.sampled_from([BLACK, BLUE, LightColor(0.6, 0.6, 0.6, 1.0), LightColor(1.0, 1.0, 1.0, 0.2)]),
    st.floats(0.004, 0.4),
    st.integers(1, 3),
)
def test_no_strobe_between_two_colors_passes(one, other, step_s, max_flashes):
    steps = [(step_s, one if i % 2 else other) for i in range(round(2.5 / step_s) + 2)]
    assert_safe(*run(steps, max_flashes), max_flashes)


@settings(max_examples=100)
@given(
    st.lists(st.tuples(any_step, any_color, st.booleans()), min_size=20, max_size=100),
)
def test_leaving_out_samples_as_a_slow_lamp_does_adds_no_flash(steps):
    times_s, colors = run([(step_s, color) for step_s, color, _ in steps])
    kept = [0] + [i + 1 for i, step in enumerate(steps) if step[2]]
    assert_safe([times_s[i] for i in kept], [colors[i] for i in kept])


@settings(max_examples=100)
@given(st.lists(st.tuples(any_step, any_color, st.booleans()), min_size=20, max_size=100))
def test_switching_off_and_on_again_does_not_flash_either(steps):
    limiter = FlashLimiter()
    times_s, colors, now_s = [0.0], [BLACK], 0.0
    for step_s, color, off in steps:
        now_s += step_s
        times_s.append(now_s)
        shown = limiter.switch_off(now_s) if off else limiter.step(color, now_s).color
        assert not off or shown == BLACK
        colors.append(shown)
    assert_safe(times_s, colors)


@settings(max_examples=100)
@given(st.lists(st.tuples(any_step, any_color, st.booleans()), min_size=20, max_size=100))
def test_neither_a_lamp_that_goes_out_for_a_while_nor_its_neighbour_flashes(steps):
    """The limiter is told of the darkness; the neighbour does not see it, the lamp rests."""
    limiter = FlashLimiter()
    times_s, neighbour, lamp, now_s, rest_ends_s = [0.0], [BLACK], [BLACK], 0.0, -1.0
    for step_s, color, goes_out in steps:
        now_s += step_s
        if goes_out:
            limiter.switch_off(now_s)
            rest_ends_s = now_s + 0.5
        times_s.append(now_s)
        neighbour.append(limiter.step(color, now_s).color)
        lamp.append(neighbour[-1] if now_s >= rest_ends_s else BLACK)
    assert_safe(times_s, neighbour)
    assert_safe(times_s, lamp)


linear_light = st.tuples(unit, unit, unit)


@settings(max_examples=500)
@given(linear_light, linear_light, st.floats(1.0, 4.0))
def test_rounding_to_eight_bit_lifts_no_change_over_the_standard(one, other, gamma):
    """What is no swing to the limiter is none of the standard at a lamp that rounds."""
    one_lit, other_lit = (
        tuple((round(255 * value ** (1 / gamma)) / 255) ** gamma for value in light)
        for light in (one, other)
    )
    if abs(relative_luminance(one) - relative_luminance(other)) < LUMINANCE_THRESHOLD:
        assert abs(relative_luminance(one_lit) - relative_luminance(other_lit)) < 0.10

    def redness(light):
        return max(0.0, light[0] - light[1] - light[2])

    saturated = any(light[0] >= 0.8 * sum(light) for light in (one_lit, other_lit))
    if saturated and abs(redness(one) - redness(other)) < RED_THRESHOLD:
        assert 320 * abs(redness(one_lit) - redness(other_lit)) <= 20.0


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(), any_color), min_size=20, max_size=100))
def test_a_clock_that_stands_still_jumps_or_is_undefined_lets_no_flash_through(steps):
    limiter = FlashLimiter()
    # A clock may start anywhere, also below zero.
    times_s, colors, latest_s = [-math.inf], [BLACK], -math.inf
    for now_s, color in steps:
        latest_s = max(latest_s, now_s) if math.isfinite(now_s) else latest_s
        times_s.append(latest_s)
        colors.append(limiter.step(color, now_s).color)
    assert_safe(times_s, colors)


numbers = st.one_of(st.floats(), st.sampled_from([0.0, 1.0, 1e308, -1e-9, 1.0000001]))


@given(st.lists(st.builds(LightColor, numbers, numbers, numbers, numbers), max_size=50))
def test_an_impossible_color_never_comes_out(wanted):
    limiter = FlashLimiter()
    for i, color in enumerate(wanted):
        assert limiter.step(color, 0.02 * i).color.is_valid()


def test_a_single_change_and_a_slow_fade_pass_untouched():
    limiter = FlashLimiter()
    assert limiter.step(WHITE, 0.0).color == WHITE
    for i in range(500):
        level = 0.5 + 0.5 * math.cos(2 * math.pi * i / 250)
        color = LightColor(1.0, 1.0, 1.0, level)
        assert limiter.step(color, 0.02 * i).color == color
    assert limiter.interventions == 0


def test_three_flashes_a_second_pass_and_the_fourth_is_held_back_until_there_is_room():
    limiter = FlashLimiter()
    for i in range(6):
        color = BLACK if i % 2 else WHITE
        assert limiter.step(color, 0.05 * i).color == color
    held = limiter.step(WHITE, 0.3)
    assert held.limited
    assert relative_luminance(held.color.linear_light()) < 0.10
    assert limiter.interventions == 1
    assert limiter.step(WHITE, 1.5).color == WHITE


def test_red_flashes_of_equal_luminance_are_held_back():
    green = LightColor(0.0, 0.5468, 0.0, 1.0)
    red = LightColor(1.0, 0.0, 0.0, 1.0)
    assert relative_luminance(red.linear_light()) == pytest.approx(
        relative_luminance(green.linear_light()), abs=0.05
    )
    times_s, colors = run([(0.05, red if i % 2 else green) for i in range(60)])
    redness = [320 * max(0.0, r - g - b) for r, g, b in (c.linear_light() for c in colors)]
    assert worst_flashes(times_s, redness, 20.0) == 3


def test_the_standard_cannot_be_loosened():
    with pytest.raises(ValueError, match="expected 1 to 3, got 4"):
        FlashLimiter().step(WHITE, 0.0, 4)
