# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient_light_driver.color.light_color import (
    OFF,
    LightColor,
    linear_to_srgb,
    relative_luminance,
    srgb_to_linear,
)
from ambient_light_driver.color.oklab import OklabLight, weighted_mean

unit = st.floats(0.0, 1.0)
colors = st.builds(LightColor, unit, unit, unit, unit)


@pytest.mark.parametrize(
    ("encoded", "linear"), [(0.0, 0.0), (0.5, 0.21404114), (0.04, 0.00309598), (1.0, 1.0)]
)
def test_srgb_decoding_follows_the_standard(encoded, linear):
    assert srgb_to_linear(encoded) == pytest.approx(linear, abs=1e-7)
    assert linear_to_srgb(linear) == pytest.approx(encoded, abs=1e-6)


def test_brightness_scales_light_not_the_encoded_number():
    half = LightColor(1.0, 1.0, 1.0, 0.5)
    assert half.linear_light() == (0.5, 0.5, 0.5)
    assert half.displayed_rgb()[0] == pytest.approx(0.7354, abs=1e-4)


def test_luminance_of_the_primaries():
    assert relative_luminance((1.0, 0.0, 0.0)) == pytest.approx(0.2126)
    assert relative_luminance((0.0, 1.0, 0.0)) == pytest.approx(0.7152)
    assert relative_luminance((1.0, 1.0, 1.0)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [  # computed from the matrices at the source by hand-independent software (CSS Color 4)
        ((1.0, 1.0, 1.0), (1.0, 0.0, 0.0)),
        ((1.0, 0.0, 0.0), (0.62796, 0.22486, 0.12585)),
        ((0.0, 1.0, 0.0), (0.86644, -0.23389, 0.17950)),
        ((0.0, 0.0, 1.0), (0.45201, -0.03246, -0.31153)),
    ],
)
def test_oklab_of_the_primaries(rgb, lab):
    light = OklabLight.from_color(LightColor(*rgb))
    assert (light.lightness, light.a, light.b) == pytest.approx(lab, abs=1e-4)


@given(colors)
def test_oklab_and_back_is_the_same_color(color):
    back = OklabLight.from_color(color).to_color()
    assert back.channels == pytest.approx(color.channels, abs=2e-3)


@given(colors, colors, unit)
def test_any_point_between_two_colors_is_a_valid_color(start, end, fraction):
    point = OklabLight.from_color(start).moved_towards(OklabLight.from_color(end), fraction)
    assert point.to_color().is_valid()


def test_mean_of_two_lights_lies_half_way():
    dark = OklabLight(0.0, 0.0, 0.1, 0.0)
    light = OklabLight(1.0, 0.2, 0.3, 1.0)
    mean = weighted_mean([dark, light], [0.5, 0.5])
    assert mean.distance(OklabLight(0.5, 0.1, 0.2, 0.5)) < 1e-12


@given(colors)
def test_a_normalized_color_is_the_same_light_with_a_full_channel(color):
    shown = color.normalized()
    assert shown.is_valid()
    assert shown.linear_light() == pytest.approx(color.linear_light(), abs=1e-9)
    assert shown == OFF or max(shown.rgb) == pytest.approx(1.0)


@pytest.mark.parametrize("black", [LightColor(0.0, 0.0, 0.0, 1.0), LightColor(1.0, 1.0, 1.0, 0.0)])
def test_black_is_off_when_normalized(black):
    assert black.normalized() == OFF
