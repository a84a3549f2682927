# SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_common.options import ConfigError, build_config, option


@dataclass(frozen=True)
class Example:
    rate_hz: float = option(10.0, "Rate.", minimum=1.0, maximum=100.0)
    count: int = option(1, "Count.", minimum=0)
    kind: str = option("a", "Kind.", choices=("a", "b"))
    on: bool = option(True, "On.")
    source: str = option("", "Source.")
    lamps: tuple[str, ...] = option((), "Lamps.")
    robots: tuple[str, ...] = option((), "Robots.", choices=("create3", "turtlebot"))


def test_missing_keys_take_their_defaults():
    assert build_config(Example, {"kind": "b"}, "x") == Example(kind="b")


@pytest.mark.parametrize(
    ("key", "typed", "taken"),
    [
        ("rate_hz", 5, 5.0),
        ("rate_hz", "15", 15.0),
        ("count", 15.0, 15),
        ("count", "3", 3),
        ("source", 0, "0"),
        ("on", "True", True),
        ("lamps", "hue", ("hue",)),
        ("lamps", ["hue", "", "7"], ("hue", "7")),
        ("lamps", [1, 2], ("1", "2")),
        ("lamps", [], ()),
    ],
)
def test_a_value_of_another_type_is_taken_where_it_is_clear(key, typed, taken):
    value = getattr(build_config(Example, {key: typed}, "x"), key)
    assert value == taken and type(value) is type(taken)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"rate_hz": 0.5}, r"lamp\.rate_hz: expected a value in \[1, 100\], got 0\.5"),
        ({"rate_hz": float("nan")}, r"lamp\.rate_hz: expected a finite number"),
        ({"rate_hz": "nan"}, r"lamp\.rate_hz: expected a finite number, got 'nan'"),
        ({"rate_hz": "fast"}, r"lamp\.rate_hz: expected a number, got 'fast'"),
        ({"rate_hz": True}, r"lamp\.rate_hz: expected a number, got True"),
        ({"count": True}, r"lamp\.count: expected a whole number, got True"),
        ({"count": "three"}, r"lamp\.count: expected a whole number, got 'three'"),
        ({"count": 1.5}, r"lamp\.count: expected a whole number, got 1\.5"),
        ({"count": "-1"}, r"lamp\.count: expected a value in \[0, inf\], got '-1'"),
        ({"kind": "c"}, r"lamp\.kind: expected one of a, b, got 'c'"),
        ({"on": 1}, r"lamp\.on: expected a bool \(true or false\), got 1"),
        ({"source": False}, r"lamp\.source: expected a string, got False: write it in quotes"),
        ({"lamps": [True]}, r"lamp\.lamps: expected a list of strings, got \[True\]"),
        (
            {"robots": ["pepper"]},
            r"lamp\.robots: expected one of create3, turtlebot, got 'pepper'",
        ),
        ({"colour": 1}, r"lamp\.colour: unknown key, expected one of \['count', 'kind'"),
    ],
)
def test_a_wrong_value_is_refused_by_place_key_and_remedy(values, text):
    with pytest.raises(ConfigError, match=text):
        build_config(Example, values, "lamp")


@given(
    st.sampled_from(["rate_hz", "count", "kind", "on", "source", "lamps", "robots"]),
    st.one_of(
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.none(),
        st.binary(),
        st.lists(st.one_of(st.booleans(), st.integers(), st.floats(), st.text())),
    ),
)
def test_any_value_is_refused_or_has_the_type_and_the_limits_of_its_field(key, value):
    try:
        config = build_config(Example, {key: value}, "x")
    except ConfigError as error:
        assert str(error).startswith(f"x.{key}: expected")
        return
    types = {"rate_hz": float, "count": int, "kind": str, "on": bool, "source": str}
    assert type(getattr(config, key)) is types.get(key, tuple)
    assert 1.0 <= config.rate_hz <= 100.0 and config.count >= 0 and config.kind in ("a", "b")
