# SPDX-License-Identifier: Apache-2.0
"""Relay against the message definitions of the robots, where those are installed."""

import importlib

import pytest

pytest.importorskip("std_msgs.msg", reason="no ROS 2: relays were not tested")

from builtin_interfaces.msg import Time  # noqa: E402

from ambient_light_driver.color.light_color import OFF, LightColor, linear_to_srgb  # noqa: E402
from ambient_light_driver.nodes.color_relay import (  # noqa: E402
    KOBUKI_HOLD_S,
    RELAYS,
    RelayConfig,
    make_relay,
)
from fer_common.options import ConfigError  # noqa: E402

ORANGE = LightColor(1.0, linear_to_srgb(0.5), 0.0, 0.8)  # linear light 0.8, 0.4, 0
GREEN = LightColor(0.0, 1.0, 0.0)


def relay(kind, **options):
    """Return a relay, or skip where the robot's messages are not installed."""
    package = RELAYS[kind].message_name.split("/")[0]
    pytest.importorskip(f"{package}.msg", reason=f"no {package}: {kind} was not tested")
    return make_relay(RelayConfig(type=kind, **options))


def shown(made, color, now_s=0.0, last=False):
    message = made.message(color, Time(sec=3), now_s, last)
    assert isinstance(message, made.message_type)
    return message


def assert_near(color, red, green, blue):
    assert (color.r, color.g, color.b) == pytest.approx((red, green, blue), abs=1e-6)


@pytest.mark.parametrize("kind", sorted(RELAYS))
def test_messages_that_are_missing_are_named_with_the_package_to_install(kind):
    package, name = RELAYS[kind].message_name.split("/")
    try:
        getattr(importlib.import_module(f"{package}.msg"), name)
    except ImportError:
        with pytest.raises(ConfigError, match=f"ros-.ROS_DISTRO-{package.replace('_', '-')}"):
            make_relay(RelayConfig(type=kind))
    else:
        assert make_relay(RelayConfig(type=kind)).topic


def test_a_color_topic_gets_linear_light_with_the_brightness_in_it():
    assert_near(shown(relay("color_topic"), ORANGE), 0.8, 0.4, 0.0)
    gamma = shown(relay("color_topic", gamma=2.0), ORANGE)
    assert_near(gamma, 0.8**0.5, 0.4**0.5, 0.0)


def test_the_ring_stays_ours_in_the_dark_and_is_given_back_at_the_end():
    made = relay("irobot_lightring")
    message = shown(made, ORANGE)
    assert [(led.red, led.green, led.blue) for led in message.leds] == [(204, 102, 0)] * 6
    assert message.override_system and message.header.stamp.sec == 3
    assert shown(made, OFF).override_system
    assert not shown(made, ORANGE, last=True).override_system


def test_all_body_lights_get_the_color():
    message = shown(relay("clearpath_lights", led_count=8), ORANGE)
    assert [(x.red, x.green, x.blue) for x in message.lights] == [(204, 102, 0)] * 8


@pytest.mark.parametrize("kind", ["nao_chest_led", "nao_left_foot_led", "nao_right_foot_led"])
def test_an_led_of_the_nao_gets_the_color(kind):
    assert_near(shown(relay(kind), ORANGE).color, 0.8, 0.4, 0.0)


@pytest.mark.parametrize("kind", ["nao_left_eye", "nao_right_eye"])
def test_all_leds_of_an_eye_get_the_color(kind):
    colors = shown(relay(kind), ORANGE).colors
    assert len(colors) == 8
    for color in colors:
        assert_near(color, 0.8, 0.4, 0.0)


def test_a_lamp_of_three_colors_takes_the_nearest():
    made = relay("kobuki_led")
    led = made.message_type
    for step, (color, value) in enumerate(
        [
            (ORANGE, led.ORANGE),
            (GREEN, led.GREEN),
            (LightColor(1.0, 0.0, 0.0), led.RED),
            (LightColor(0.0, 0.0, 1.0), led.BLACK),
            (LightColor(1.0, 0.0, 0.0, 0.01), led.BLACK),
        ]
    ):
        assert shown(made, color, step * KOBUKI_HOLD_S).value == value


def test_a_lamp_of_three_colors_never_flickers_between_them():
    made = relay("kobuki_led")
    red = LightColor(1.0, linear_to_srgb(0.32), 0.0)
    orange = LightColor(1.0, linear_to_srgb(0.34), 0.0)
    values = [shown(made, (red, orange)[i % 2], 0.02 * i).value for i in range(200)]
    changes = sum(a != b for a, b in zip(values, values[1:], strict=False))
    assert 0 < changes <= 0.02 * 200 / KOBUKI_HOLD_S
    assert shown(made, red, 4.0, last=True).value == made.message_type.BLACK
