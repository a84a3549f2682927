# SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass

import pytest

from ambient_light_driver.settings import LightSettings
from fer_common.options import ConfigError, build_config, option


@dataclass(frozen=True)
class Example:
    rate_hz: float = option(10.0, "Rate.", minimum=1.0, maximum=100.0)
    count: int = option(1, "Count.", minimum=0)
    kind: str = option("a", "Kind.", choices=("a", "b"))
    on: bool = option(True, "On.")


def test_missing_keys_take_their_defaults_and_whole_numbers_pass_as_floats():
    assert build_config(Example, {"rate_hz": 5}, "x") == Example(rate_hz=5.0)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"rate_hz": 0.5}, r"lamp\.rate_hz: expected a value in \[1, 100\], got 0\.5"),
        ({"rate_hz": float("nan")}, r"lamp\.rate_hz: expected a finite number"),
        ({"count": True}, r"lamp\.count: expected int, got True"),
        ({"count": "3"}, r"lamp\.count: expected int, got '3'"),
        ({"kind": "c"}, r"lamp\.kind: expected one of \['a', 'b'\], got 'c'"),
        ({"on": 1}, r"lamp\.on: expected bool, got 1"),
        ({"colour": 1}, r"lamp\.colour: unknown key, expected one of \['count', 'kind'"),
    ],
)
def test_a_wrong_value_is_refused_by_place_key_and_remedy(values, text):
    with pytest.raises(ConfigError, match=text):
        build_config(Example, values, "lamp")


def test_following_a_face_needs_its_id():
    with pytest.raises(ConfigError, match=r"light\.selected_face_id: expected a face id"):
        build_config(LightSettings, {"face_selection": "face_id"}, "light")
    settings = build_config(
        LightSettings, {"face_selection": "face_id", "selected_face_id": "f1"}, "light"
    )
    assert settings.selected_face_id == "f1"


def test_flash_limit_cannot_be_set_looser_than_the_standard():
    with pytest.raises(ConfigError, match=r"light\.max_flashes: expected a value in \[1, 3\]"):
        build_config(LightSettings, {"max_flashes": 4}, "light")
