# SPDX-License-Identifier: Apache-2.0
import copy
import os

import pytest
import yaml

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.color.oklab import OklabLight
from ambient_light_driver.color.palette import emotion_names, load_palette, shipped_palettes
from fer_common.options import ConfigError

GOOD = {
    "source": "made up",
    "emotions": {
        name: {"color": [0.1, 0.2, 1], "brightness": 0.5} for name in reversed(emotion_names())
    },
    "idle": {"color": [0, 0, 0], "brightness": 0},
}


def write(folder, document):
    path = folder / "mine.yaml"
    text = document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False)
    path.write_text(text)
    return str(path)


def test_three_palettes_are_shipped():
    assert {"default", "jonauskaite", "plutchik"} <= set(shipped_palettes())


@pytest.mark.parametrize("name", shipped_palettes())
def test_every_shipped_palette_covers_all_emotions_and_says_where_it_comes_from(name):
    palette = load_palette(name)
    assert tuple(palette.emotions) == emotion_names()
    assert len(palette.source) > 20
    assert all(color.is_valid() for color in palette.emotions.values())


def test_default_palette_tells_emotions_apart():
    lights = [OklabLight.from_color(c) for c in load_palette("default").emotions.values()]
    for i, one in enumerate(lights):
        for other in lights[:i]:
            distance = ((one.a - other.a) ** 2 + (one.b - other.b) ** 2) ** 0.5
            assert distance + abs(one.brightness - other.brightness) > 0.1


def test_own_palette_is_read_in_the_order_of_the_emotions(tmp_path):
    palette = load_palette(write(tmp_path, GOOD))
    assert tuple(palette.emotions) == emotion_names()
    assert palette.emotions["anger"] == LightColor(0.1, 0.2, 1.0, 0.5)


def changed(path, value):
    document = copy.deepcopy(GOOD)
    target = document
    *way, last = path
    for key in way:
        target = target[key]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (("emotions", "joy"), GOOD["idle"], r"emotions\.joy: unknown emotion, expected only neu"),
        (("emotions", "fear"), None, r"emotions\.fear: missing, expected a color and a bright"),
        (("emotions", "fear", "color"), [0, 0, 1.5], r"fear\.color: expected a number in \[0, 1"),
        (("emotions", "fear", "color"), [0, 0], r"fear\.color: expected \[red, green, blue\]"),
        (("emotions", "fear", "color"), None, r"emotions\.fear\.color: missing"),
        (("emotions", "fear", "brightness"), float("nan"), r"fear\.brightness: expected a number"),
        (("emotions", "fear", "brightness"), "high", r"fear\.brightness: .* got 'high'"),
        (("emotions", "fear", "brightness"), True, r"fear\.brightness: .* got True"),
        (("emotions", "fear"), 3, r"emotions\.fear: expected a mapping of names, got 3"),
        (("emotions", "fear", "gamma"), 2, r"emotions\.fear\.gamma: unknown key, expected one"),
        (("emotions",), [], r"emotions: expected a mapping"),
        (("idle",), None, r"idle: missing"),
        (("source",), None, r"source: missing"),
        (("source",), 3, r"source: expected a string"),
        (("extra",), 3, r"extra: unknown key"),
    ],
)
def test_a_wrong_palette_is_refused_by_file_key_and_expectation(tmp_path, path, value, text):
    file = write(tmp_path, changed(path, value))
    with pytest.raises(ConfigError, match=text) as caught:
        load_palette(file)
    assert str(caught.value).startswith(file)


@pytest.mark.parametrize("text", ["", "just text", "a: [1", "&a [*a, *a]", "!!python/name:os.x"])
def test_a_file_that_is_no_palette_is_refused(tmp_path, text):
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        load_palette(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        # 2^40 leaves, of which an error message must not be made.
        (
            "\n".join(
                ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 41))]
            )
            + "\nemotions: *a40",
            "unknown key",
        ),
        ("&a0 [x]\n", "mapping of names"),
        ("{" * 3000, "at most 256 brackets"),
        ("#" * 100_000, "at most 65536 bytes"),
    ],
)
def test_a_file_made_to_take_for_ever_is_refused(tmp_path, text, refusal):
    with pytest.raises(ConfigError, match=refusal) as refused:
        load_palette(write(tmp_path, text))
    assert len(str(refused.value)) < 1000


def test_the_color_of_an_unfolding_palette_is_not_written_out(tmp_path):
    bomb: object = "x"
    for _ in range(40):
        bomb = [bomb, bomb]
    document = GOOD | {"idle": {"color": bomb, "brightness": 0}}
    with pytest.raises(ConfigError, match=r"idle\.color: expected") as refused:
        load_palette(write(tmp_path, document))
    assert len(str(refused.value)) < 1000


def test_an_unknown_name_lists_the_shipped_palettes():
    with pytest.raises(ConfigError, match=r"'dark': .* default, jonauskaite, plutchik"):
        load_palette("dark")


def test_a_named_pipe_is_refused_and_does_not_hold_up_the_reader(tmp_path):
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    with pytest.raises(ConfigError, match=r"pipe\.yaml': expected a file"):
        load_palette(str(pipe))


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match=r"'/nowhere/x\.yaml': cannot be read"):
        load_palette("/nowhere/x.yaml")
