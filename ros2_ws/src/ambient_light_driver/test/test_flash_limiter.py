# SPDX-License-Identifier: Apache-2.0
"""The flash limiter against its whole family of lamps.

The counter and the lamps of this test share nothing with the limiter but the published colour.
The long form is ``python -m robustness.fuzz.run flashes``.
"""

import math
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ambient_light_driver.color.light_color import (
    LightColor,
    linear_to_srgb,
    srgb_to_linear,
)
from ambient_light_driver.color.palette import emotion_names, load_palette, shipped_palettes
from ambient_light_driver.color.root_light import RootLight
from ambient_light_driver.pipeline import LightPipeline
from ambient_light_driver.safety.flash_limiter import FlashLimiter
from ambient_light_driver.safety.swing_search import most_swings
from ambient_light_driver.selection.fixed_light import SHOWN
from ambient_light_driver.selection.observation import FaceObservation
from ambient_light_driver.settings import LightSettings

WHITE = LightColor(1.0, 1.0, 1.0, 1.0)
BLACK = LightColor(0.0, 0.0, 0.0, 0.0)
RED = LightColor(1.0, 0.0, 0.0, 1.0)
BLUE = LightColor(0.0, 0.0, 1.0, 1.0)
STANDARD = 0.10
STANDARD_RED = 20.0 / 320.0


def swings(values, threshold):
    """Count the alternating changes of at least ``threshold``, from the definition alone."""
    count = direction = 0
    low = high = values[0]
    for value in values[1:]:
        low, high = min(low, value), max(high, value)
        if direction <= 0 and value - low >= threshold:
            count, direction, low, high = count + 1, 1, value, value
        elif direction >= 0 and high - value >= threshold:
            count, direction, low, high = count + 1, -1, value, value
    return count


def worst_flashes(times_s, values, threshold):
    """Most flashes (pairs of opposing swings) in any window of one second."""
    worst = 0
    for i, start_s in enumerate(times_s):
        window = [v for t, v in zip(times_s[i:], values[i:], strict=True) if t <= start_s + 1.0]
        worst = max(worst, swings(window, threshold) // 2)
    return worst


def eight_bit(value):
    return round(255.0 * value) / 255.0


def sent(color, form):
    """Return what a lamp of a form is sent: three channels, and the brightness."""
    if form == "linear":
        return color.linear_light(), 1.0
    if form == "gamma 3":
        return tuple(value ** (1.0 / 3.0) for value in color.linear_light()), 1.0
    if form == "displayed":
        return color.displayed_rgb(), 1.0
    if form == "multiplied":
        return tuple(
            math.floor(255.0 * eight_bit(value) * eight_bit(color.brightness)) / 255.0
            for value in color.rgb
        ), 1.0
    if form == "dimmer":
        return tuple(srgb_to_linear(value) for value in color.rgb), color.brightness
    if form == WHITE_FORM:
        return with_white(color)
    if form == "apart, encoded":
        return color.rgb, linear_to_srgb(color.brightness)
    return color.rgb, color.brightness


def with_white(color):
    linear = color.linear_light()
    white = min(linear)
    return (*(value - white for value in linear), white), 1.0


FORMS = ("linear", "gamma 3", "displayed", "multiplied", "dimmer", "apart", "apart, encoded")
WHITE_FORM = "with white"


def light(color, lamp):
    """Return the light of each channel, rounded to 8 bit at each step."""
    form, exponents, level_exponent, _ = lamp
    channels, level = sent(color, form)
    return tuple(
        eight_bit(eight_bit(value) ** exponent * eight_bit(level) ** level_exponent)
        for value, exponent in zip(channels, exponents, strict=True)
    )


def assert_safe(times_s, colors, lamps, max_flashes=3):
    for lamp in lamps:
        lit = [light(color, lamp) for color in colors]
        total = sum(lamp[3])
        luminance = [sum(w * c for w, c in zip(lamp[3], rgb, strict=True)) / total for rgb in lit]
        redness = [max(0.0, r - g - b) for r, g, b, *_ in lit]
        assert worst_flashes(times_s, luminance, STANDARD) <= max_flashes, lamp
        assert worst_flashes(times_s, redness, STANDARD_RED) <= max_flashes, lamp


exponent = st.one_of(st.sampled_from([1.0, 2.2, 2.8, 3.0]), st.floats(1.0, 3.0))
weight = st.one_of(st.sampled_from([0.001, 1.0]), st.floats(0.001, 1.0))
lamp = st.tuples(
    st.sampled_from(FORMS),
    st.one_of(st.tuples(exponent, exponent, exponent), exponent.map(lambda e: (e, e, e))),
    exponent,
    st.one_of(st.just((0.2126, 0.7152, 0.0722)), st.tuples(weight, weight, weight)),
)
lamps = st.lists(lamp, min_size=3, max_size=6)
white_lamp = st.tuples(
    st.just(WHITE_FORM),
    st.one_of(st.tuples(*[exponent] * 4), exponent.map(lambda e: (e,) * 4)),
    st.just(1.0),
    st.one_of(st.just((0.2126, 0.7152, 0.0722, 1.0)), st.tuples(*[weight] * 4)),
)
unit = st.floats(0.0, 1.0)
level = st.one_of(st.sampled_from([0.0, 0.1, 0.5, 1.0]), unit)
extreme = st.sampled_from([WHITE, BLACK, RED, BLUE, LightColor(1.0, 0.5, 0.0, 0.4)])
any_color = st.one_of(extreme, st.builds(LightColor, level, level, level, level))
any_step = st.one_of(st.sampled_from([0.001, 0.02, 0.1, 0.17]), st.floats(0.0, 0.6))


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


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(any_step, any_color), min_size=20, max_size=100), st.integers(1, 3), lamps
)
def test_no_sequence_at_any_rate_flashes_more_than_allowed(steps, max_flashes, lamps):
    assert_safe(*run(steps, max_flashes), lamps, max_flashes)


@settings(max_examples=50, deadline=None)
@given(any_color, any_color, st.floats(0.01, 0.4), st.integers(1, 3), lamps)
def test_no_strobe_between_two_colors_passes(one, other, step_s, max_flashes, lamps):
    steps = [(step_s, one if i % 2 else other) for i in range(round(2.0 / step_s) + 2)]
    assert_safe(*run(steps, max_flashes), lamps, max_flashes)


@pytest.mark.parametrize("form", FORMS)
def test_two_colors_that_are_equal_on_one_lamp_do_not_flash_on_another(form):
    for exponents in (1.0, 2.2, 2.8, 3.0):
        other = (form, (exponents,) * 3, exponents, (0.2126, 0.7152, 0.0722))
        for one, two in (
            (LightColor(1.0, 0.0, 0.0, 1.0), LightColor(0.0, 0.5838, 0.0, 1.0)),
            (LightColor(0.5, 0.5, 0.5, 1.0), LightColor(1.0, 1.0, 1.0, 0.214)),
            (LightColor(1.0, 0.9, 0.8, 0.5), LightColor(1.0, 0.8, 0.0, 0.63)),
        ):
            steps = [(0.02, (one, two)[i % 2]) for i in range(150)]
            assert_safe(*run(steps), [other])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.02, 0.5), any_color, st.booleans()), min_size=5, max_size=20),
    st.floats(0.03, 0.6),
    lamps,
)
def test_fades_that_turn_on_their_way_do_not_flash(turns, constant_s, lamps):
    limiter = FlashLimiter()
    times_s, colors, shown = [0.0], [BLACK], BLACK
    for hold_s, aim, says_aim in turns:
        for _ in range(max(1, round(hold_s / 0.02))):
            keep = math.exp(-0.02 / constant_s)
            shown = LightColor(
                *(
                    keep * a + (1.0 - keep) * b
                    for a, b in zip(shown.channels, aim.channels, strict=True)
                )
            )
            times_s.append(times_s[-1] + 0.02)
            limited = limiter.step(shown, times_s[-1], aim=aim if says_aim else None)
            colors.append(limited.color)
    assert_safe(times_s, colors, lamps)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(any_step, any_color, st.booleans()), min_size=20, max_size=80), lamps)
def test_leaving_out_samples_as_a_slow_lamp_does_adds_no_flash(steps, lamps):
    times_s, colors = run([(step_s, color) for step_s, color, _ in steps])
    kept = [0] + [i + 1 for i, step in enumerate(steps) if step[2]]
    assert_safe([times_s[i] for i in kept], [colors[i] for i in kept], lamps)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 0.1), any_color), min_size=40, max_size=80),
    st.lists(st.sampled_from([0.0, 0.02, 0.3, 1.0, 2.0]), min_size=80, max_size=80),
    lamps,
)
def test_a_link_that_stalls_and_takes_one_color_at_a_time_adds_no_flash(steps, delays_s, lamps):
    times_s, colors = run(steps)
    shown_s, shown, free_s = [0.0], [BLACK], 0.0
    for i, delay_s in enumerate(delays_s[: len(times_s) - 1], start=1):
        if i < len(times_s) - 1 and times_s[i + 1] <= free_s:
            continue
        leaves_s = max(times_s[i], free_s)
        free_s = leaves_s + delay_s
        shown_s.append(free_s)
        shown.append(colors[i])
    assert_safe(shown_s, shown, lamps)


def queued(times_s, stalls, late_s):
    """Return when each colour is shown by a receiver that stands still and then shows its queue.

    :param stalls: (time between stalls, share of ``late_s``) of each.
    """
    shown_s, stalls = [], iter(stalls)
    next_s, end_s = 0.0, -math.inf
    for now_s in times_s:
        if now_s >= max(next_s, end_s):
            pause_s, share = next(stalls, (math.inf, 0.0))
            end_s = now_s + share * late_s
            next_s = end_s + pause_s
        shown_s.append(max(now_s, end_s))
    return shown_s


stall = st.tuples(st.floats(0.0, 1.0), st.one_of(st.just(1.0), st.floats(0.0, 1.0)))


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from([2.5, 5.0]),
    st.lists(any_color, min_size=2, max_size=4),
    st.sampled_from([0.1, 0.17, 0.3, 0.6]),
    st.lists(stall, min_size=1, max_size=6),
    st.lists(st.one_of(lamp, white_lamp), min_size=4, max_size=8),
)
def test_a_receiver_that_shows_its_queue_at_once_does_not_flash(
    late_s, colors, step_s, stalls, lamps
):
    limiter = FlashLimiter()
    limiter.late_s = late_s
    times_s, shown = [0.0], [BLACK]
    for i in range(round((late_s + 3.0) / step_s)):
        times_s.append(step_s * (i + 1))
        shown.append(limiter.step(colors[i % len(colors)], times_s[-1]).color)
    assert_safe(queued(times_s, stalls, late_s), shown, lamps)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(any_step, any_color), min_size=20, max_size=60), st.data())
def test_white_that_is_taken_out_of_the_colors_does_not_flash(steps, data):
    assert_safe(*run(steps), data.draw(st.lists(white_lamp, min_size=4, max_size=8)))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (RootLight(1.0, 0.7294, 0.0), RootLight(1.0, 1.0, 1.0)),
        (RootLight(1.0, 1.0, 1.0), RootLight(0.0, 0.875, 0.0)),
    ],
)
def test_the_search_knows_lamps_that_take_white_out_of_the_colors(start, end):
    way = [start.moved_towards(end, i / 50.0).to_color() for i in range(51)]
    swung = 0
    for exponent, share, k in product((1.0, 2.0, 3.0), (0.25, 0.5, 0.75), range(3)):
        weights = [share * (k == i) for i in range(3)] + [1.0 - share]
        lit = [light(color, (WHITE_FORM, (exponent,) * 4, 1.0, weights)) for color in way]
        luminance = [sum(w * c for w, c in zip(weights, one, strict=True)) for one in lit]
        swung = max(swung, swings(luminance, 0.1))
    assert swung >= 2
    assert most_swings(((start, end),), is_whole=True) >= swung


ORDINARY = [
    ("linear", (exponent,) * 3, 1.0, (0.2126, 0.7152, 0.0722)) for exponent in (1.0, 2.2, 3.0)
]


@pytest.mark.parametrize("step_s", [0.1, 0.3, 0.5])
def test_a_strobe_that_a_receiver_queues_does_not_flash(step_s):
    times_s, shown = run([(step_s, (WHITE, BLACK)[i % 2]) for i in range(round(8.0 / step_s))])
    for start_s in (0.0, 0.7, 1.9, 3.1, 4.4):
        arrived_s = [start_s + 2.5 if start_s <= t < start_s + 2.5 else t for t in times_s]
        assert_safe(arrived_s, shown, ORDINARY)


def test_a_command_that_is_given_up_and_obeyed_at_any_time_does_not_flash():
    limiter = FlashLimiter()
    times_s, shown = [0.0], [BLACK]
    limiter.count_outage(0.0, "lamp")
    for i in range(50):
        times_s.append(0.05 * (i + 1))
        shown.append(limiter.step((BLUE, BLACK)[i % 2], times_s[-1]).color)
    blue = ("linear", (1.0, 1.0, 1.0), 1.0, (0.0, 0.0, 1.0))
    for i, (when_s, newest) in enumerate(zip(times_s, shown, strict=True)):
        old = BLACK if newest.brightness else BLUE
        obeyed_s = [*times_s[: i + 1], when_s + 0.01, when_s + 0.02, *times_s[i + 1 :]]
        assert_safe(obeyed_s, [*shown[: i + 1], old, newest, *shown[i + 1 :]], [blue])


def test_outages_of_different_lamps_do_not_add_up():
    limiter = FlashLimiter()
    for name in ("a", "b", "c"):
        limiter.count_outage(0.0, name)
    assert not limiter.step(WHITE, 0.1).limited
    for _ in "12":
        limiter.count_outage(0.1, "a")
    assert limiter.step(BLACK, 0.2).limited
    assert not limiter.step(BLACK, 4.0).limited


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(any_step, any_color, st.booleans()), min_size=20, max_size=80), lamps)
def test_switching_off_and_on_again_does_not_flash_either(steps, lamps):
    limiter = FlashLimiter()
    times_s, colors, now_s = [0.0], [BLACK], 0.0
    for step_s, color, off in steps:
        now_s += step_s
        times_s.append(now_s)
        shown = limiter.switch_off(now_s) if off else limiter.step(color, now_s).color
        assert not off or shown == BLACK
        colors.append(shown)
    assert_safe(times_s, colors, lamps)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(any_step, any_color, st.booleans()), min_size=20, max_size=80), lamps)
def test_neither_a_lamp_that_goes_out_for_a_while_nor_its_neighbour_flashes(steps, lamps):
    """The limiter counts the darkness; the neighbour does not see it, the lamp rests."""
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
    assert_safe(times_s, neighbour, lamps)
    assert_safe(times_s, lamp, lamps)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(), any_color), min_size=20, max_size=80), lamps)
def test_a_clock_that_stands_still_jumps_or_is_undefined_lets_no_flash_through(steps, lamps):
    limiter = FlashLimiter()
    # A clock may start anywhere, also below zero.
    times_s, colors, latest_s = [-math.inf], [BLACK], -math.inf
    for now_s, color in steps:
        latest_s = max(latest_s, now_s) if math.isfinite(now_s) else latest_s
        times_s.append(latest_s)
        colors.append(limiter.step(color, now_s).color)
    assert_safe(times_s, colors, lamps)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(SHOWN), st.integers(1, 12)), min_size=10, max_size=50),
    st.sampled_from(["rgb 255 255 255", "rgb 255 0 0"]),
    lamps,
)
def test_no_sequence_of_choices_by_a_user_flashes(choices, fixed_color, lamps):
    """Not even with all that smooths it switched off."""
    direct = LightSettings(time_constant_s=0.0, fixed_color=fixed_color)
    pipeline = LightPipeline(load_palette("default"), direct)
    times_s, colors, now_s = [0.0], [BLACK], 0.0
    for show, steps in choices:
        pipeline.settings = replace(direct, show=show)
        for _ in range(steps):
            now_s += 0.02
            times_s.append(now_s)
            colors.append(pipeline.step(now_s, now_s).color)
    assert_safe(times_s, colors, lamps)


numbers = st.one_of(st.floats(), st.sampled_from([0.0, 1.0, 1e308, -1e-9, 1.0000001]))


@given(st.lists(st.builds(LightColor, numbers, numbers, numbers, numbers), max_size=50))
def test_an_impossible_color_never_comes_out(wanted):
    limiter = FlashLimiter()
    for i, color in enumerate(wanted):
        assert limiter.step(color, 0.02 * i).color.is_valid()


def test_the_same_light_is_always_sent_as_the_same_color():
    for one, other in (
        (LightColor(0.5, 0.5, 0.5, 1.0), LightColor(1.0, 1.0, 1.0, srgb_to_linear(0.5))),
        (LightColor(0.25, 0.5, 0.0, 0.3), LightColor(0.25, 0.5, 0.0, 0.3).normalized()),
    ):
        shown = [FlashLimiter().step(color, 0.0).color for color in (one, other)]
        assert shown[0].channels == pytest.approx(shown[1].channels, abs=1e-9)
        assert max(shown[0].rgb) == pytest.approx(1.0)
        assert shown[0].linear_light() == pytest.approx(one.linear_light(), abs=1e-9)


def test_a_jump_passes_at_once_and_a_slow_fade_is_followed_closely():
    limiter = FlashLimiter()
    assert limiter.step(WHITE, 0.0).color.channels == pytest.approx(WHITE.channels)
    for i in range(500):
        brightness = 0.5 + 0.5 * math.cos(2 * math.pi * i / 250)
        shown = limiter.step(LightColor(1.0, 1.0, 1.0, brightness), 0.02 * i).color
        assert math.cbrt(shown.brightness) == pytest.approx(math.cbrt(brightness), abs=0.07)
    assert limiter.interventions == 0


def test_a_resting_light_arrives_exactly():
    limiter = FlashLimiter()
    limiter.step(WHITE, 0.0)
    near = LightColor(1.0, 0.97, 0.93, 0.95)
    for i in range(1, 100):
        shown = limiter.step(near, 0.02 * i).color
    assert shown.channels == pytest.approx(near.channels, abs=1e-6)
    assert limiter.interventions == 0


@pytest.mark.parametrize("max_flashes", [1, 2, 3])
@pytest.mark.parametrize("color", [WHITE, RED, BLUE])
def test_a_strobe_is_held_after_the_allowed_flashes_until_there_is_room(color, max_flashes):
    limiter = FlashLimiter()
    for i in range(20):
        wanted = BLACK if i % 2 else color
        before = limiter.shown
        shown = limiter.step(wanted, 0.02 * i, max_flashes)
        if shown.limited:
            break
        assert shown.color.linear_light() == pytest.approx(wanted.linear_light())
    # Each move may be a whole flash on some lamp, or one half of a flash on all.
    assert max_flashes <= i <= 2 * max_flashes
    assert shown.color == before
    assert limiter.interventions == 1
    assert limiter.step(wanted, 4.2, max_flashes).color.linear_light() == pytest.approx(
        wanted.linear_light()
    )


def test_the_standard_cannot_be_loosened():
    with pytest.raises(ValueError, match="expected 1 to 3, got 4"):
        FlashLimiter().step(WHITE, 0.0, 4)


@pytest.mark.parametrize("palette", shipped_palettes())
def test_ordinary_changes_of_expression_pass_untouched(palette):
    """Emotions that follow each other in any order, each for a second or more, never alike."""
    names = emotion_names()
    pipeline = LightPipeline(load_palette(palette), LightSettings())
    now_s = 0.0
    for i in range(60):
        emotion = names[(i * (i + 3) // 2 + i // 7) % len(names)]
        confidence = 0.55 + 0.4 * ((7 * i) % 11) / 10
        scores = tuple(confidence if name == emotion else (1.0 - confidence) / 6 for name in names)
        for _ in range(50 + (13 * i) % 60):
            now_s += 0.02
            pipeline.observe([FaceObservation("f1", scores, 100.0, 0.0)], now_s)
            pipeline.step(now_s, now_s)
    assert pipeline.interventions == 0
    pipeline.settings = replace(pipeline.settings, shutdown_state="idle")
    assert pipeline.shut_down(now_s + 5.0).color.brightness > 0.0
