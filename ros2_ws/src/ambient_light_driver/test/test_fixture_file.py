# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.dmx_layout import ChannelConfig, DmxConfig, dmx_universe
from ambient_light_driver.devices.fixture_file import load_fixture_mode
from fer_common.options import ConfigError, build_config


def emitter(color, **more):
    return {"capability": {"type": "ColorIntensity", "color": color}, **more}


FIXTURE = {
    "name": "Test wash",
    "availableChannels": {
        "Pan": {"defaultValue": "50%", "capability": {"type": "Pan", "angle": "540deg"}},
        "Dimmer": {"fineChannelAliases": ["Dimmer fine"], "capability": {"type": "Intensity"}},
        "Red": emitter("Red"),
        "Warm": emitter("Warm White"),
        "Cyan": emitter("Cyan"),
        "Shutter": {
            "capabilities": [
                {"dmxRange": [0, 19], "type": "ShutterStrobe", "shutterEffect": "Closed"},
                {"dmxRange": [20, 39], "type": "ShutterStrobe", "shutterEffect": "Open"},
                {"dmxRange": [40, 255], "type": "ShutterStrobe", "shutterEffect": "Strobe"},
            ]
        },
        "Dimmer or strobe": {
            "capabilities": [
                {"dmxRange": [0, 100], "type": "Intensity"},
                {"dmxRange": [101, 200], "type": "ShutterStrobe", "shutterEffect": "Strobe"},
                {"dmxRange": [201, 255], "type": "ShutterStrobe", "shutterEffect": "Open"},
            ]
        },
        "Falling": {
            "capability": {
                "type": "Intensity",
                "brightnessStart": "bright",
                "brightnessEnd": "off",
            }
        },
    },
    "templateChannels": {
        "Green $pixelKey": emitter("Green", fineChannelAliases=["Green $pixelKey fine"]),
    },
    "modes": [
        {
            "name": "Full",
            "shortName": "9ch",
            "channels": [
                "Pan",
                "Dimmer",
                "Dimmer fine",
                "Red",
                "Warm",
                "Cyan",
                "Shutter",
                "Dimmer or strobe",
                None,
            ],
        },
        {"name": "Dark", "channels": ["Falling", "Pan"]},
        {"name": "Pixels", "channels": [{"insert": "matrixChannels"}]},
        {"name": "Bar", "channels": ["Green 1", "Green 1 fine", "Green left"]},
        {"name": "Switching", "channels": ["Red", "Strobe / Speed"]},
    ],
}


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "wash.json"
    file.write_text(json.dumps(FIXTURE))
    return str(file)


@pytest.mark.parametrize("mode", ["Full", "9ch"])
def test_light_is_lit_the_shutter_is_open_and_the_rest_keeps_its_default(path, mode):
    levels = load_fixture_mode(path, mode).levels(LightColor(1.0, 0.0, 0.0, 0.5))
    assert list(levels) == [128, 128, 0, 255, 0, 0, 29, 228, 0]


def test_a_file_stands_wherever_a_mode_does(path):
    red = LightColor(1.0, 0.0, 0.0)
    assert ChannelConfig(channel_order=f"{path}#9ch").mode.size == 9
    universe = dmx_universe(red, DmxConfig(fixtures=(f"3:{path}#9ch", "20:R")))
    assert list(universe[2:11]) == [128, 255, 255, 255, 0, 0, 29, 228, 0]
    assert universe[19] == 255


def test_pixels_that_a_mode_names_are_lit(path):
    levels = load_fixture_mode(path, "Bar").levels(LightColor(0.0, 1.0, 0.0, 1000 / 65535))
    assert list(levels) == [3, 232, 3]


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("", "expected 'wash.json#MODE' with a mode of Full, Dark, Pixels"),
        ("full", "got 'full'"),
        ("Dark", "no channel of red, white or other light"),
        ("Pixels", "pixels are not supported"),
        ("Switching", "'Strobe / Speed' is not described"),
    ],
)
def test_a_mode_that_cannot_be_lit_is_refused_with_the_reason(path, mode, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        build_config(ChannelConfig, {"channel_order": f"{path}#{mode}"}, "device.par")
    assert str(caught.value).startswith("device.par.channel_order: ")


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"modes": 3}', "[" * 100_000, '{"modes": [{}]}']
)
def test_a_file_of_another_kind_is_refused_with_its_name(tmp_path, text):
    file = tmp_path / "par.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"par\.json"):
        load_fixture_mode(str(file), "")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_fixture_mode(str(tmp_path / "none.json"), "")
    with pytest.raises(ConfigError, match="expected a file"):
        load_fixture_mode(str(tmp_path), "")
