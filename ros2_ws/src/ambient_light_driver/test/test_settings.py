# SPDX-License-Identifier: Apache-2.0
import pytest

from ambient_light_driver.settings import LightSettings
from fer_common.options import ConfigError, build_config


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
