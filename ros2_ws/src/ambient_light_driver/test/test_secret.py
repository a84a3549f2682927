# SPDX-License-Identifier: Apache-2.0
import pytest

from ambient_light_driver.devices.secret import read_secret


def test_the_first_line_of_the_file_wins_over_the_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMP_SECRET", "from the environment")
    file = tmp_path / "secret"
    file.write_text("from the file\nnot this\n")
    assert read_secret(str(file), "LAMP_SECRET") == "from the file"
    assert read_secret("", "LAMP_SECRET") == "from the environment"
    assert read_secret("", "") == ""


def test_a_missing_secret_is_named_by_its_place(tmp_path, monkeypatch):
    monkeypatch.delenv("LAMP_SECRET", raising=False)
    with pytest.raises(ConnectionError, match="LAMP_SECRET is not set"):
        read_secret("", "LAMP_SECRET")
    with pytest.raises(ConnectionError, match="nowhere: cannot be read"):
        read_secret(str(tmp_path / "nowhere"), "")


def test_a_file_that_is_no_text_does_not_show_in_the_error(tmp_path):
    file = tmp_path / "secret"
    file.write_bytes(b"abc\xff\xfe")
    with pytest.raises(ConnectionError, match="expected text in UTF-8") as caught:
        read_secret(str(file), "")
    assert "abc" not in str(caught.value)
