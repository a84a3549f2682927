# SPDX-License-Identifier: Apache-2.0
import pytest

from fer_bringup.dashboard.access import Access, is_loopback

TOKEN = "0123456789abcdef"
LOCAL = Access("127.0.0.1")
OPEN = Access("0.0.0.0", TOKEN)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_this_machine_needs_no_token(host):
    assert is_loopback(host)
    assert Access(host).allows_token("")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "robot.local", ""])
def test_others_need_a_token(host):
    with pytest.raises(ValueError, match="--token-file"):
        Access(host)
    assert not Access(host, TOKEN).allows_token("")
    assert Access(host, TOKEN).allows_token(TOKEN)


@pytest.mark.parametrize(
    "given", ["", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "é" * 16, "\udcff" * 16]
)
def test_wrong_tokens_are_refused(given):
    assert not OPEN.allows_token(given)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:8035", True),
        ("localhost", True),
        ("[::1]:8035", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example:8035", False),
        ("", False),
    ],
)
def test_a_name_made_to_point_here_is_refused(host, allowed):
    assert LOCAL.allows_host(host) is allowed


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://127.0.0.1:8035", True),
        ("http://127.0.0.1:8036", False),
        ("http://evil.example", False),
        ("null", False),
        ("file://", False),
        ("chrome-extension://127.0.0.1:8035", False),
    ],
)
def test_pages_of_others_are_refused(origin, allowed):
    assert LOCAL.allows_origin(origin, "127.0.0.1:8035") is allowed
