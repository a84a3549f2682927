# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest

from fer_bringup.dashboard.freshness import Heard, problems

ALIVE = Heard(
    faces_s=0.1,
    perception_s=0.4,
    color_s=0.02,
    light_s=0.4,
    face_publishers=1,
    color_publishers=1,
    image_topic="/camera/image_raw",
    image_publishers=("camera",),
)


def test_what_is_heard_is_no_problem():
    assert problems(ALIVE) == []


@pytest.mark.parametrize(
    ("change", "short", "words"),
    [
        # The perception answers, so its input is silent.
        ({"faces_s": 1.5}, "camera is silent", "no image on /camera/image_raw for 2 s"),
        (
            {"faces_s": 9.0, "image_publishers": ()},
            "no camera",
            "no camera on /camera/image_raw: nobody publishes it",
        ),
        ({"faces_s": 9.0, "is_perceiving": False}, "fer_perception is not active", "not active"),
        # A stopped process keeps its publishers for a while.
        ({"faces_s": 1.5, "perception_s": 1.6}, "fer_perception is silent", "for 2 s"),
        (
            {"faces_s": float("inf"), "perception_s": float("inf"), "face_publishers": 0},
            "no perception",
            "nobody publishes fer_perception/emotions",
        ),
        ({"color_s": 1.5, "light_s": 1.6}, "ambient_light is silent", "no colour for 2 s"),
        ({"color_s": 1.5}, "ambient_light is not active", "not active"),
    ],
)
def test_the_silent_node_is_named(change, short, words):
    [problem] = problems(replace(ALIVE, **change))
    assert problem.short == short
    assert words in problem.text
    assert problem.about == ("light" if "color_s" in change else "faces")


def test_silence_is_found_within_a_second_and_a_half():
    assert problems(replace(ALIVE, faces_s=1.0, color_s=1.0)) == []
    stopped = replace(ALIVE, faces_s=1.3, perception_s=1.3, color_s=1.3, light_s=1.3)
    assert [problem.about for problem in problems(stopped)] == ["faces", "light"]


def test_a_robot_without_a_light_has_no_problem():
    nothing = {"color_s": float("inf"), "light_s": float("inf"), "color_publishers": 0}
    assert problems(replace(ALIVE, **nothing)) == []
