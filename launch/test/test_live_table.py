# SPDX-License-Identifier: Apache-2.0
import io

from fer_msgs.msg import EmotionStamped
from rich.console import Console

from ambient_light_driver.color.light_color import LightColor
from fer_bringup.demo.live_table import faces_line, faces_table, screen_color
from fer_perception.emotions import EMOTIONS

YELLOW = LightColor(1.0, 0.8, 0.0, 1.0)


def face() -> EmotionStamped:
    face = EmotionStamped(face_id="f0007", emotion="surprise", confidence=0.75)
    face.scores = [0.0, 0.25, 0.75, 0.0, 0.0, 0.0, 0.0]
    face.processing_latency.nanosec = 21_400_000
    return face


def shown(*args) -> str:
    stream = io.StringIO()
    Console(file=stream, width=80).print(faces_table(*args))
    return stream.getvalue()


def test_a_row_for_each_face_with_all_scores():
    _, head, row, *_ = shown([face()], YELLOW, "title").splitlines()
    assert head.split() == ["face", "expression", *EMOTIONS, "ms"]
    scores = ["0%", "25%", "75%", *["0%"] * 4]
    assert row.split() == ["f0007", "surprise", "75%", *scores, "21"]


def test_80_columns_hold_the_widest_row():
    widest = face()
    widest.emotion, widest.confidence, widest.scores = "happiness", 1.0, [0.0, 1.0, *[0.0] * 5]
    widest.processing_latency.nanosec = 999_000_000
    text = shown([widest], YELLOW, "title")
    assert "happiness 100%" in text and " 999\n" in text.replace(" \n", "\n")
    assert "…" not in text and max(map(len, text.splitlines())) <= 80


def test_the_absence_of_faces_is_shown():
    assert "no face" in shown([], None, "title")
    assert faces_line([], None) == "no face | lamp no colour yet"


def test_plain_line():
    assert faces_line([face()], YELLOW) == f"f0007 surprise 75% | lamp {screen_color(YELLOW)}"


def test_color_as_on_a_screen_depends_on_the_brightness():
    assert screen_color(YELLOW) == "#ffcc00"
    assert screen_color(LightColor(1.0, 0.8, 0.0, 0.0)) == "#000000"
