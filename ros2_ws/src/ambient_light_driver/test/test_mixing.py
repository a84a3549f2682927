# SPDX-License-Identifier: Apache-2.0
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient_light_driver.color.mixing import mixed_light, saturation, sharpened
from ambient_light_driver.color.oklab import OklabLight
from ambient_light_driver.color.palette import emotion_names, load_palette
from ambient_light_driver.selection.observation import normalized_scores

COUNT = len(emotion_names())
PALETTE = load_palette("default")
positive = st.lists(st.floats(1e-30, 1e30), min_size=COUNT, max_size=COUNT)
distributions = positive.map(lambda values: normalized_scores(values, COUNT))


def certain(emotion):
    return tuple(float(name == emotion) for name in emotion_names())


@given(distributions, st.floats(0.1, 20.0))
def test_sharpened_probabilities_stay_a_distribution_in_the_same_order(scores, sharpness):
    result = sharpened(scores, sharpness)
    assert math.fsum(result) == pytest.approx(1.0)
    assert result[scores.index(max(scores))] == max(result)


def test_sharpness_one_changes_nothing_and_more_favours_the_top():
    scores = (0.5, 0.3, 0.2)
    assert sharpened(scores, 1.0) == pytest.approx(scores)
    assert sharpened(scores, 2.0) == pytest.approx((25 / 38, 9 / 38, 4 / 38))


@pytest.mark.parametrize("emotion", emotion_names())
def test_certainty_shows_the_palette_color(emotion):
    light = mixed_light(PALETTE, certain(emotion), 2.0, 0.7)
    assert light.distance(OklabLight.from_color(PALETTE.emotions[emotion])) < 1e-9


def test_no_idea_at_all_shows_neutral():
    light = mixed_light(PALETTE, (1 / COUNT,) * COUNT, 2.0, 0.7)
    assert light.distance(OklabLight.from_color(PALETTE.emotions["neutral"])) < 1e-9


def test_the_whole_distribution_counts_not_the_top_label():
    anger = dict.fromkeys(emotion_names(), 0.0) | {"anger": 0.6}
    one = mixed_light(PALETTE, tuple((anger | {"fear": 0.4}).values()), 1.0, 0.2)
    other = mixed_light(PALETTE, tuple((anger | {"happiness": 0.4}).values()), 1.0, 0.2)
    assert one.distance(other) > 0.01


def test_saturation_rises_from_chance_to_full():
    assert saturation(1 / 7, 7, 0.7) == 0.0
    assert saturation(0.5 * (1 / 7 + 0.7), 7, 0.7) == pytest.approx(0.5)
    assert saturation(0.9, 7, 0.7) == 1.0


@given(distributions, st.floats(0.1, 20.0), st.floats(0.2, 1.0))
def test_every_mixture_is_a_valid_color(scores, sharpness, full_at):
    assert mixed_light(PALETTE, scores, sharpness, full_at).to_color().is_valid()


@given(distributions, distributions, st.floats(0.0, 1e-6))
def test_mixing_is_continuous(start, end, fraction):
    near = tuple((1 - fraction) * a + fraction * b for a, b in zip(start, end, strict=True))
    one = mixed_light(PALETTE, start, 2.0, 0.7)
    assert one.distance(mixed_light(PALETTE, near, 2.0, 0.7)) < 1e-4


@given(st.lists(st.floats(width=32), max_size=9))
def test_scores_are_normalized_or_refused(scores):
    result = normalized_scores(scores, COUNT)
    usable = (
        len(scores) == COUNT
        and all(math.isfinite(value) and value >= 0 for value in scores)
        and max(scores) > 0
    )
    if usable:
        assert math.fsum(result) == pytest.approx(1.0)
        assert all(0.0 <= value <= 1.0 for value in result)
    else:
        assert result is None
