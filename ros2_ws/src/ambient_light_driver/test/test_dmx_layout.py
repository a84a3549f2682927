# SPDX-License-Identifier: Apache-2.0
import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.dmx_layout import (
    ChannelConfig,
    DmxConfig,
    dmx_universe,
    fixture_channels,
    write_fixtures,
)
from fer_common.options import ConfigError, build_config

ORANGE = LightColor(1.0, 0.735357, 0.0, 0.5)  # linear light 0.5, 0.25, 0.0
WHITE = LightColor(1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("order", "channels"),
    [
        ("RGB", [128, 64, 0]),
        ("GRB", [64, 128, 0]),
        ("DRGB", [128, 255, 128, 0]),
        ("RGB-", [128, 64, 0, 0]),
        ("I", [73]),
    ],
)
def test_each_letter_gets_its_channel(order, channels):
    assert list(fixture_channels(ORANGE, ChannelConfig(channel_order=order))) == channels


def test_white_is_taken_out_of_the_colors():
    pale = LightColor(1.0, 0.537099, 0.537099, 1.0)
    assert list(fixture_channels(pale, ChannelConfig(channel_order="RGBW"))) == [191, 0, 0, 64]


def test_gamma_undoes_the_lamps_own_curve():
    config = ChannelConfig(gamma=2.0)
    assert list(fixture_channels(ORANGE, config)) == [round(255 * 0.5**0.5), 128, 0]


def test_fixtures_stand_side_by_side_from_the_start_address():
    universe = dmx_universe(WHITE, DmxConfig(start_address=510, fixture_count=1))
    assert len(universe) == 512
    assert universe[509:] == b"\xff\xff\xff"
    assert not any(universe[:509])
    universe = dmx_universe(ORANGE, DmxConfig(start_address=2, fixture_count=2))
    assert list(universe[:8]) == [0, 128, 64, 0, 128, 64, 0, 0]


def test_fixtures_beyond_the_universe_are_refused():
    with pytest.raises(ConfigError, match=r"lamp\.start_address: .* end at channel 513"):
        build_config(DmxConfig, {"start_address": 511}, "device.lamp")


def test_an_unknown_letter_is_refused():
    with pytest.raises(ConfigError, match=r"device\.lamp\.channel_order: expected letters of"):
        build_config(DmxConfig, {"channel_order": "RGX"}, "device.lamp")


def test_fixtures_that_differ_stand_where_they_are_placed():
    config = DmxConfig(fixtures=("4:I", "1:R-"))
    assert list(dmx_universe(ORANGE, config)[:5]) == [128, 0, 0, 73, 0]


def test_the_channels_of_other_devices_are_left_alone():
    universe = bytearray([9] * 512)
    write_fixtures(universe, ORANGE, DmxConfig(fixtures=("2:RGB", "500:RGB")))
    assert list(universe[:5]) == [9, 128, 64, 0, 9]
    assert universe.count(9) == 506


@pytest.mark.parametrize(
    ("fixtures", "reason"),
    [
        (["1:RGBW", "4:RGB"], "the fixture at 4 overlaps the one at 1, which ends at 4"),
        (["511:RGB"], "end at channel 513"),
        ("RGB", "expected ADDRESS:MODE"),
        ("0:RGB", "with an address of 1 to 512, got '0:RGB'"),
        ("1:RGX", "expected letters of"),
    ],
)
def test_fixtures_that_cannot_be_placed_are_refused(fixtures, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        build_config(DmxConfig, {"fixtures": fixtures}, "device.rig")
    assert str(caught.value).startswith("device.rig.fixtures: ")
