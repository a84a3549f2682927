# SPDX-License-Identifier: Apache-2.0
"""Attacks on the dashboard, as bytes on its socket."""

import re
import socket
import time

import pytest

TOKEN = "a-token-of-more-than-16-characters"
LOCAL = b"Host: 127.0.0.1\r\n"
SOCKET = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
EVIL = b"Origin: http://evil.example\r\n"
COOKIE = b"Cookie: fer_dashboard_token=" + TOKEN.encode() + b"\r\n"

# (what, request, the answers that refuse it)
ATTACKS = [
    ("another site's form", b"POST / HTTP/1.1\r\n" + LOCAL + EVIL + COOKIE + b"\r\n", {403, 405}),
    ("another site's fetch", b"GET / HTTP/1.1\r\n" + LOCAL + EVIL + COOKIE + b"\r\n", {403}),
    (
        "another site's socket",
        b"GET /live HTTP/1.1\r\n" + LOCAL + EVIL + COOKIE + SOCKET + b"\r\n",
        {403},
    ),
    (
        "a page without origin",
        b"GET /live HTTP/1.1\r\n" + LOCAL + b"Origin: null\r\n" + COOKIE + SOCKET + b"\r\n",
        {403},
    ),
    ("a wrong token", b"GET /?token=guess HTTP/1.1\r\n" + LOCAL + b"\r\n", {401}),
    (
        "a wrong cookie",
        b"GET /live HTTP/1.1\r\n"
        + LOCAL
        + b"Cookie: fer_dashboard_token=guess\r\n"
        + SOCKET
        + b"\r\n",
        {401},
    ),
    (
        "a token of invalid text",
        b"GET / HTTP/1.1\r\n" + LOCAL + b"Cookie: fer_dashboard_token=\xff\xfe\r\n\r\n",
        {400, 401},
    ),
    *(
        (
            f"the path {path}",
            b"GET " + path + b" HTTP/1.1\r\n" + LOCAL + COOKIE + b"\r\n",
            {400, 404},
        )
        for path in (
            b"/../../../etc/passwd",
            b"/..%2f..%2f..%2fetc%2fpasswd",
            b"/%2e%2e/%2e%2e/etc/passwd",
            b"/..%5c..%5cetc%5cpasswd",
            b"//etc/passwd",
            b"/page.js%00.html",
            b"/server.py",
            b"file:///etc/passwd",
        )
    ),
    *(
        (f"method {method}", method + b" / HTTP/1.1\r\n" + LOCAL + COOKIE + b"\r\n", {400, 405})
        for method in (b"PUT", b"DELETE", b"TRACE", b"OPTIONS", b"PROPFIND", b"G\x00T")
    ),
    (
        "a body of 100 MB",
        b"POST / HTTP/1.1\r\n"
        + LOCAL
        + COOKIE
        + b"Content-Length: 100000000\r\n\r\n"
        + b"x" * 10**5,
        {405, 413},
    ),
    ("a line of 1 MB", b"GET /" + b"x" * 10**6 + b" HTTP/1.1\r\n" + LOCAL + b"\r\n", {400, 414}),
    (
        "a header of 1 MB",
        b"GET / HTTP/1.1\r\n" + LOCAL + b"X: " + b"x" * 10**6 + b"\r\n\r\n",
        {400, 431},
    ),
    (
        "two lengths",
        b"POST / HTTP/1.1\r\n"
        + LOCAL
        + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        {400, 401},
    ),
    (
        "a token in invalid HTTP",
        b"GET /?token=" + TOKEN.encode() + b"\x00 HTTP/x\r\n\r\n",
        {400},
    ),
    ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n", {400}),
]


@pytest.fixture
def port(start_node, peer, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    node = start_node(
        "fer_bringup",
        "dashboard",
        "dashboard",
        arguments=("--port", "0", "--token-file", str(tmp_path / "token")),
    )
    address = re.compile(r"dashboard: http://127\.0\.0\.1:(\d+)")
    peer.wait_until(lambda: address.search(node.output), "the address", nodes=(node.node,))
    yield int(address.search(node.output).group(1))
    assert node.running
    assert TOKEN not in node.output and "xxxx" not in node.output


def ask(port, request):
    """Send bytes and return the status code; None for a closed connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=60.0) as client:
        try:
            client.sendall(request)
            head = client.recv(4096)
        except ConnectionError:
            return None
    match = re.match(rb"HTTP/1\.[01] (\d{3})", head)
    return int(match.group(1)) if match else None


def is_served(port):
    return ask(port, b"GET / HTTP/1.1\r\n" + LOCAL + COOKIE + b"\r\n") == 200


def test_each_attack_is_refused_and_the_server_lives(port):
    assert is_served(port)
    for what, request, codes in ATTACKS:
        code = ask(port, request)
        assert code is None or code in codes, f"{what}: {code}"
    assert is_served(port)


def test_clients_that_never_finish_keep_nobody_waiting(port):
    begun = b"GET / HTTP/1.1\r\n" + LOCAL + COOKIE + b"X-Slow: "
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
    try:
        for turn in range(3):
            for client in clients:
                client.sendall(begun if turn == 0 else b"x")
            assert is_served(port)
            time.sleep(0.1)
    finally:
        for client in clients:
            client.close()
    assert is_served(port)
