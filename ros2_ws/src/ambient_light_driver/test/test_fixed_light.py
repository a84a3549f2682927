# SPDX-License-Identifier: Apache-2.0
"""Light chosen by a user: through the same fade and limiter as that of the faces."""

from dataclasses import replace

import pytest

from ambient_light_driver.color.palette import emotion_names, load_palette
from ambient_light_driver.light_state import FIXED_LABEL, IDLE, OFF_LABEL
from ambient_light_driver.pipeline import LightPipeline
from ambient_light_driver.selection.fixed_light import fixed_light, parse_fixed_color
from ambient_light_driver.selection.observation import FaceObservation
from ambient_light_driver.settings import LightSettings
from fer_common.options import ConfigError

PALETTE = load_palette("default")
DIRECT = LightSettings(face_dwell_s=0.0, emotion_dwell_s=0.0, time_constant_s=0.0)
HAPPY = FaceObservation(
    "f1", tuple(float(name == "happiness") for name in emotion_names()), 100.0, 0.0
)


def play(pipeline, seconds, start_s, faces=(HAPPY,)):
    for i in range(round(seconds / 0.02)):
        now_s = start_s + 0.02 * i
        pipeline.observe(faces, now_s)
        state = pipeline.step(now_s, now_s)
    return state


@pytest.mark.parametrize("faces", [(), (HAPPY,)])
@pytest.mark.parametrize("show", emotion_names())
def test_an_expression_is_shown_as_if_a_face_showed_it(show, faces):
    pipeline = LightPipeline(PALETTE, replace(DIRECT, show=show, brightness=0.5))
    state = play(pipeline, 1.0, 10.0, faces)
    wanted = replace(
        PALETTE.emotions[show], brightness=0.5 * PALETTE.emotions[show].brightness
    ).linear_light()
    assert state.color.linear_light() == pytest.approx(wanted, abs=2e-3)
    # Subscribers must not take it for an expression.
    assert state.label == f"{FIXED_LABEL}: {show}"


def test_dark_color_idle_and_back_to_the_faces():
    pipeline = LightPipeline(PALETTE, replace(DIRECT, show="dark"))
    assert play(pipeline, 1.0, 10.0).label == OFF_LABEL
    assert pipeline.step(11.0, 11.0).color.brightness == 0.0
    pipeline.settings = replace(DIRECT, show="color", fixed_color="rgb 0 128 255")
    color = play(pipeline, 1.0, 12.0).color
    assert color.displayed_rgb() == pytest.approx((0.0, 128 / 255, 1.0), abs=2e-3)
    pipeline.settings = replace(DIRECT, show="idle")
    assert play(pipeline, 1.0, 14.0).label == IDLE
    pipeline.settings = DIRECT
    assert play(pipeline, 1.0, 16.0).label == "happiness"


@pytest.mark.parametrize(
    "text",
    ["", "red", "#ff0000", "rgb 1 2", "rgb 256 0 0", "rgb -1 0 0", "rgb 1 2 3 4", "rgb ١ 2 3"],
)
def test_any_other_colour_is_refused_with_the_form(text):
    with pytest.raises(ConfigError, match="fixed_color: expected 'rgb' and three numbers"):
        parse_fixed_color(text)
    with pytest.raises(ConfigError, match="fixed_color"):
        LightSettings(fixed_color=text)


def test_faces_choose_no_fixed_light():
    assert fixed_light("faces", "rgb 1 2 3", PALETTE) is None
