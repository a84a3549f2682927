# SPDX-License-Identifier: Apache-2.0
"""The public API, without ROS."""

import subprocess
import sys

import pytest

import ambient_light_driver
from ambient_light_driver import (
    AmbientLight,
    ConfigError,
    LightSettings,
    list_devices,
    load_palette,
    make_device,
)

DIRECT = LightSettings(face_dwell_s=0.0, emotion_dwell_s=0.0, time_constant_s=0.0)
ANGER = load_palette("default").emotions["anger"]

WITHOUT_ROS = """
import sys

class NoRos:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"rclpy", "fer_msgs", "std_msgs", "rcl_interfaces"}:
            raise ImportError(f"{name} must not be imported")

sys.meta_path.insert(0, NoRos())

import time
from ambient_light_driver import AmbientLight, LightSettings

settings = LightSettings(face_dwell_s=0.0, emotion_dwell_s=0.0, time_constant_s=0.0)
with AmbientLight(["terminal"], settings=settings) as light:
    while not light.statuses()["lamp 1"].sent > 5:
        print("light", light.show({"anger": 1.0}).label)
        time.sleep(0.02)
"""


def test_emotions_come_out_of_a_lamp_without_ros():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_ROS], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "light anger" in done.stdout
    assert "lamp: anger" in done.stdout
    assert done.stdout.rstrip().endswith("lamp: off #000000")


def test_all_public_names_exist():
    for name in ambient_light_driver.__all__:
        assert getattr(ambient_light_driver, name) is not None


def test_emotions_become_the_palettes_color_and_silence_the_idle_one():
    now_s = 10.0
    with AmbientLight(settings=DIRECT, clock=lambda: now_s) as light:
        assert light.show({"anger": 1.0}).color.channels == pytest.approx(ANGER.channels, abs=1e-3)
        now_s = 10.0 + DIRECT.idle_timeout_s + 0.1
        assert light.show(None).label == "idle"


def test_a_light_that_fades_goes_on_between_two_images():
    now_s = 0.0
    with AmbientLight(settings=LightSettings(face_dwell_s=0.0), clock=lambda: now_s) as light:
        light.show({"anger": 0.9, "fear": 0.1})
        now_s = 0.2
        first = light.step().color.brightness
        now_s = 0.4
        assert 0.0 < first < light.step().color.brightness


@pytest.mark.parametrize(
    ("emotions", "reason"),
    [
        ({"joy": 1.0}, "unknown emotion 'joy', expected "),
        ({}, "expected probabilities"),
        ({"anger": -1.0}, "expected probabilities"),
        ({"anger": float("nan")}, "expected probabilities"),
    ],
)
def test_what_is_not_a_distribution_is_refused(emotions, reason):
    with AmbientLight() as light, pytest.raises(ValueError, match=reason):
        light.show(emotions)


def test_devices_are_made_by_name_and_their_options_are_checked():
    assert "terminal" in list_devices()
    assert make_device("sacn", universe=7).config.universe == 7
    with pytest.raises(ConfigError, match="unknown device 'laser', expected one of"):
        make_device("laser")
    with pytest.raises(ConfigError, match=r"sacn\.univers: unknown key"):
        make_device("sacn", univers=7)


def test_two_devices_on_one_lamp_are_refused():
    port = make_device("open_dmx_usb", port="/dev/no-such-port")
    with pytest.raises(ConfigError, match=r"lamp 2: drives .*lamp 1 drives"):
        AmbientLight([port, port])
