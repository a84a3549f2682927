# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient_light_driver.color.light_color import LightColor, linear_to_srgb
from ambient_light_driver.devices.fixture_mode import EMITTERS, FUNCTIONS, parse_mode
from fer_common.options import ConfigError

WHITE = LightColor(1.0, 1.0, 1.0, 1.0)
DEEP_ORANGE = LightColor(1.0, linear_to_srgb(0.5), 0.0, 1.0)

units = st.floats(0.0, 1.0)
colors = st.builds(LightColor, units, units, units, units)
modes = st.lists(st.sampled_from(FUNCTIONS), min_size=1, max_size=8, unique=True).map(
    lambda functions: parse_mode(",".join(f"{f},{f}_fine" for f in functions))
)


def values(mode, color, gamma=1.0):
    """Return the 16-bit values of a mode whose channels come in pairs."""
    levels = mode.levels(color, gamma)
    return [256 * high + low for high, low in zip(levels[::2], levels[1::2], strict=True)]


@pytest.mark.parametrize(
    ("text", "color", "levels"),
    [
        ("RGBA", DEEP_ORANGE, [0, 0, 0, 255]),
        ("RGBL", LightColor(linear_to_srgb(0.5), 1.0, 0.0), [0, 0, 0, 255]),
        ("RGBU", LightColor(linear_to_srgb(0.3), 0.0, 1.0), [0, 0, 0, 255]),
        ("RGBWAUL", WHITE, [0, 0, 0, 255, 0, 0, 0]),
        ("dimmer,red,green,blue,fixed:255,off", DEEP_ORANGE, [255, 255, 128, 0, 255, 0]),
        ("red, fixed:8", DEEP_ORANGE, [255, 8]),
        ("-R", DEEP_ORANGE, [0, 255]),
        ("white", LightColor(0.0, 1.0, 0.0), [182]),
        ("warm_white,cold_white", WHITE, [255, 255]),
        ("warm_white,cold_white", LightColor(1.0, 0.0, 0.0), [95, 0]),
        ("warm_white,cold_white", LightColor(0.0, 0.0, 1.0), [0, 43]),
        ("red,green,blue,warm_white,cold_white", WHITE, [0, 0, 0, 0, 255]),
        (
            "red,green,blue,warm_white,cold_white",
            LightColor(1.0, linear_to_srgb(0.4), 0.0),
            [0, 0, 0, 255, 0],
        ),
    ],
)
def test_emitters_take_over_what_they_can(text, color, levels):
    assert list(parse_mode(text).levels(color)) == levels


def test_a_fine_channel_holds_the_low_byte():
    color = LightColor(1.0, 0.0, 0.0, 1000 / 65535)
    assert list(parse_mode("RrGgBb").levels(color)) == [3, 232, 0, 0, 0, 0]
    assert list(parse_mode("D-r-Rd").levels(color)) == [3, 0, 255, 0, 255, 232]


@given(modes, colors, units, st.floats(1.0, 4.0))
def test_more_brightness_darkens_no_channel(mode, color, factor, gamma):
    darker = LightColor(*color.rgb, color.brightness * factor)
    for low, high in zip(values(mode, darker, gamma), values(mode, color, gamma), strict=True):
        assert low <= high + 1  # rounding of the factors


@given(colors, st.sampled_from(("red", "green", "blue")), units)
def test_tunable_white_rises_with_each_primary(color, primary, raised):
    mode = parse_mode("warm_white,warm_white_fine,cold_white,cold_white_fine")
    channels = dict(zip(("red", "green", "blue"), color.rgb, strict=True))
    channels[primary] = max(raised, channels[primary])
    brighter = LightColor(**channels, brightness=color.brightness)
    for low, high in zip(values(mode, color), values(mode, brighter), strict=True):
        assert low <= high


@given(colors, st.sets(st.sampled_from(sorted(EMITTERS))))
def test_all_emitters_together_give_the_light_that_is_asked_for(color, emitters):
    functions = ["red", "green", "blue", *emitters]
    mode = parse_mode(",".join(f"{f},{f}_fine" for f in functions))
    directions = [(1, 0, 0), (0, 1, 0), (0, 0, 1), *(EMITTERS[name] for name in emitters)]
    light = [value / 65535 for value in values(mode, color)]
    total = [
        sum(amount * direction[i] for amount, direction in zip(light, directions, strict=True))
        for i in range(3)
    ]
    assert total == pytest.approx(color.linear_light(), abs=1e-4)


@given(colors, modes)
def test_dark_is_dark(color, mode):
    dark = LightColor(*color.rgb, 0.0)
    product = dict.fromkeys(("dimmer",), 0)
    sent = dict(zip([c.function for c in mode.channels[::2]], values(mode, dark), strict=True))
    if "dimmer" in sent:  # the colours stay, the dimmer multiplies them by nothing
        assert sent["dimmer"] == product["dimmer"]
    else:
        assert not any(sent.values())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "at least one channel"),
        ("RGX", "expected letters of"),
        ("red,gren", "got 'gren'"),
        ("red,fixed:256", "fixed:0 to fixed:255"),
        ("red,fixed:-1", "fixed:0 to fixed:255"),
        ("red_fine", "red_fine without red"),
        ("Gr", "red_fine without red"),
        ("R" * 513, "at most 512 channels"),
    ],
)
def test_what_is_not_a_mode_is_refused(text, reason):
    with pytest.raises(ConfigError, match=reason):
        parse_mode(text)
