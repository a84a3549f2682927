# SPDX-License-Identifier: Apache-2.0
"""Scripts of the actor: what they show, and how a mistake in one is named."""

import math

import numpy as np
import pytest

from fer_client.script import ScriptError, parse_script, read_script, shipped_scripts
from fer_client.stage import Stage
from fer_perception.emotions import EMOTIONS

SCRIPT = """
image: [800, 600]
timeline:
  1.0: {anna: happiness 0.9}
  2.0:
    ben: {expression: surprise, confidence: 0.7, at: [100, 200], size: 400}
  3.0: {anna: neutral, ben: {at: [300, 200]}}
  4.0: {anna: leaves}
  5.0: {anna: fear 0.5}
  6.0: end
"""


@pytest.fixture
def stage():
    return Stage(parse_script(SCRIPT, "play.yaml"))


def shown(scene):
    return {scene.names[face.face_id]: (face.face_id, face.emotion) for face in scene.faces}


def test_people_come_change_and_leave(stage):
    assert stage.scene(0.9).faces == []
    assert shown(stage.scene(1.0)) == {"anna": ("f0001", "happiness")}
    assert shown(stage.scene(3.5)) == {
        "anna": ("f0001", "neutral"),
        "ben": ("f0002", "surprise"),
    }
    assert shown(stage.scene(4.0)) == {"ben": ("f0002", "surprise")}
    # Who comes back is another face, as for the perception.
    assert shown(stage.scene(5.0))["anna"] == ("f0003", "fear")
    assert not stage.is_over(5.9) and stage.is_over(6.0)


def test_scores_are_probabilities_with_the_given_confidence(stage):
    [face] = stage.scene(1.5).faces
    assert face.confidence == pytest.approx(0.9)
    assert face.scores.sum() == pytest.approx(1.0)


def test_the_largest_comes_first_and_moves_evenly(stage):
    first, _ = stage.scene(2.5).faces
    assert first.face_id == "f0002"
    assert first.box.center == pytest.approx((200.0, 200.0)) and first.box.width == 400.0


def test_a_loop_gives_new_ids():
    stage = Stage(parse_script(f"loop: true\n{SCRIPT}", "play.yaml"))
    assert not stage.is_over(100.0)
    assert shown(stage.scene(7.0)) == {"anna": ("f0004", "happiness")}


def test_noise_is_the_same_for_the_same_seed():
    def scores(seed):
        stage = Stage(parse_script(f"noise: 0.5\nseed: {seed}\n{SCRIPT}", "play.yaml"))
        return [stage.scene(1.0 + k / 30.0).faces[0].scores for k in range(10)]

    first = scores(1)
    assert np.array_equal(first, scores(1))
    assert not np.array_equal(first, scores(2))
    assert not np.array_equal(first[0], first[1])
    assert all(s.sum() == pytest.approx(1.0, abs=1e-5) for s in first)


@pytest.mark.parametrize("name", ["greeting", "crowd"])
def test_shipped_scripts_can_be_played(name):
    assert set(shipped_scripts()) == {"greeting", "crowd"}
    script = read_script(name)
    assert script.end_s is not None and math.isfinite(script.end_s)
    stage = Stage(script)
    seen = {face.emotion for k in range(1300) for face in stage.scene(k / 100.0).faces}
    assert seen <= set(EMOTIONS) and len(seen) >= 3


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        ("timeline:\n  0.0: {anna: hapiness 0.9}", 2, "'hapiness'; did you mean happiness"),
        ("timeline:\n  0.0: {anna: happiness 9}", 2, "got '9'"),
        ("timeline:\n  0.0: {anna: happiness 0.1}", 2, "got '0.1'"),
        ("timeline:\n  0.0: {anna: happiness nan}", 2, "got 'nan'"),
        ("timeline:\n  0.0: {anna: very much happiness}", 2, "'very much happiness'"),
        ("timeline:\n  0.0: {anna: {expression: fear, at: 3}}", 2, "two numbers .* got '3'"),
        ("timeline:\n  0.0: {anna: {at: [1, 2]}}", 2, "anna comes: expected an expression"),
        ("timeline:\n  0.0: {anna: {expresion: fear}}", 2, "got 'expresion'"),
        (
            "timeline:\n  0.0: {anna: {expression: fear}}\n  1.0: {anna: {confidence: 1}}",
            3,
            "'exp",
        ),
        ("timeline:\n  0.0: {anna: leaves}", 2, "anna leaves without being there"),
        ("timeline:\n  1.0: {anna: fear}\n  0.5: {anna: neutral}", 3, "0.5 s: .* after 1 s"),
        ("timeline:\n  1.0: {anna: fear}\n  1.0: {ben: fear}", 3, "'1.0' stands here twice"),
        ("timeline:\n  0: {anna: fear, anna: anger}", 2, "'anna' stands here twice"),
        ("timeline:\n  soon: {anna: fear}", 2, "expected a number .* got 'soon'"),
        ("timeline:\n  -1: {anna: fear}", 2, "got '-1'"),
        ("timeline:\n  1.0: end\n  2.0: {anna: fear}", 3, "nothing after the end"),
        ("timeline:\n  0.0: [anna]", 2, "got a list"),
        ("timeline:\n  0.0: {anna: fear}\n  1.0: stop", 3, "NAME: .* or 'end', got 'stop'"),
        ("timeline:\n  1e300: {anna: fear}", 2, r"\[0, 1000000\], got '1e300'"),
        ("timeline:\n  .nan: {anna: fear}", 2, "got '.nan'"),
        ("timeline:\n\t0: {anna: fear}", 2, "expected YAML: found character"),
        ("timeline:\n  0: {anna: fear", 2, "expected YAML: expected ',' or '}'"),
        ("image: [640.5, 480]\ntimeline: {0: {a: fear}}", 1, "whole numbers, got 640.5"),
        ("seed: 1.5\ntimeline: {0: {a: fear}}", 1, "whole numbers, got 1.5"),
        (f"timeline:\n  0: {{anna: {'x' * 9999}}}", 2, "got 'xxx"),
        ("timeline:\n", 1, "timeline|got nothing"),
        ("rate_hz: 0\ntimeline: {0: {a: fear}}", 1, "got '0'"),
        ("speed: 2\ntimeline: {0: {a: fear}}", 1, "rate_hz, .* got 'speed'"),
        ("image: [640]\ntimeline: {0: {a: fear}}", 1, "two numbers"),
        ("timeline: {0: {a: fear}}\nloop: true", 2, "TIME: end"),
        ("timeline: {0: {a: fear}}\nloop: maybe", 2, "got 'maybe'"),
        ("rate_hz: 10", 1, "expected 'timeline'"),
        ("", 1, "empty"),
        ("- anna", 1, "got a list"),
    ],
)
def test_a_mistake_is_named_with_its_line(text, line, named):
    with pytest.raises(ScriptError, match=named) as caught:
        parse_script(text, "play.yaml")
    assert str(caught.value).startswith(f"play.yaml:{line}: ")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


@pytest.mark.parametrize("text", ["timeline: {", "a: *b", "\x00", "[" * 1500])
def test_what_is_no_yaml_is_named(text):
    with pytest.raises(ScriptError, match=r"play.yaml"):
        parse_script(text, "play.yaml")


def test_a_missing_file_is_named_with_what_there_is(tmp_path):
    with pytest.raises(ScriptError, match="nowhere.yaml: no such file; .* crowd, greeting"):
        read_script(str(tmp_path / "nowhere.yaml"))
    with pytest.raises(ScriptError, match="no such file"):
        read_script(str(tmp_path))
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScriptError, match="cannot be read"):
        read_script(str(binary))
