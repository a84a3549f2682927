# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient_light_driver.color.light_color import OFF, LightColor
from ambient_light_driver.color.root_light import DARK, RootLight

unit = st.floats(0.0, 1.0)


@given(unit, unit, unit, unit)
def test_the_light_stays_and_the_strongest_channel_is_at_full_scale(red, green, blue, level):
    color = LightColor(red, green, blue, level)
    back = RootLight.from_color(color).to_color()
    assert back.is_valid()
    assert back.linear_light() == pytest.approx(color.linear_light(), abs=1e-6)
    assert back == OFF or max(back.rgb) == pytest.approx(1.0)


def test_darkness_has_no_hue_and_is_off():
    assert RootLight.from_color(LightColor(1.0, 0.5, 0.0, 0.0)) == DARK
    assert DARK.to_color() == OFF
    assert DARK.hue == (0.0, 0.0, 0.0)


@given(unit, unit, unit, unit, st.floats(1.0, 9.0))
def test_light_of_any_exponent_is_convex_along_a_straight_way(a, b, c, d, exponent):
    way = [RootLight(a, b, 0.0).moved_towards(RootLight(c, d, 0.0), s / 8) for s in range(9)]
    light = [0.3 * point.red**exponent + 0.7 * point.green for point in way]
    assert all(
        2.0 * light[i] <= light[i - 1] + light[i + 1] + 1e-9 for i in range(1, len(light) - 1)
    )
