# SPDX-License-Identifier: Apache-2.0
"""Bytes sent to the dashboard's port."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from pathlib import Path
from random import Random

import rclpy
from aiohttp import web

from fer_bringup.dashboard.access import Access
from fer_bringup.dashboard.dashboard_node import DashboardNode
from fer_bringup.dashboard.recording import Recorder
from fer_bringup.dashboard.server import make_app
from robustness.soak.domain import own_domain

from ..mutation import mutated, nasty_text
from ..target import Target, Try

_UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
_SERVED = {"200", "101", "303"}
# 400 and 408: invalid HTTP; 426: not a WebSocket; others: access control.
_REFUSED = {"400", "401", "403", "404", "405", "408", "413", "414", "417", "426", "431", "503"}


def _serve(port: socket.socket, ready: threading.Event) -> None:
    async def run() -> None:
        app = make_app(DashboardNode(), Access("127.0.0.1"), Recorder(Path(os.devnull)))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.SockSite(runner, port).start()
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(run())


def _prepare() -> Try:
    own_domain().__enter__()  # for the lifetime of the process
    rclpy.init()
    port = socket.create_server(("127.0.0.1", 0))
    ready = threading.Event()
    threading.Thread(target=_serve, args=(port, ready), daemon=True).start()
    ready.wait()
    address = port.getsockname()
    host = f"127.0.0.1:{address[1]}"

    def try_one(rng: Random) -> None:
        with socket.create_connection(address, timeout=10.0) as client:
            client.sendall(_request(rng, host))
            client.shutdown(socket.SHUT_WR)
            answer = b""
            while len(answer) < 12 and (part := client.recv(4096)):
                answer += part
        code = answer[9:12].decode(errors="replace")
        assert not answer or code in _SERVED | _REFUSED, answer[:200]

    return try_one


def _request(rng: Random, host: str) -> bytes:
    path = rng.choice(
        ("/", "/live", "/main.js", "/faces.csv", "/../main.py", f"/{nasty_text(rng)}")
    )
    method = rng.choice(("GET", "GET", "HEAD", "POST", "OPTIONS", "CONNECT", "DELETE"))
    headers = f"Host: {rng.choice((host, host, 'localhost', nasty_text(rng)))}\r\n"
    if rng.random() < 0.3:
        headers += f"Origin: {rng.choice(('http://' + host, 'null', nasty_text(rng)))}\r\n"
    if rng.random() < 0.2:
        headers += f"Cookie: fer_dashboard_token={nasty_text(rng)}\r\n"
    if rng.random() < 0.2:
        headers += f"{nasty_text(rng)}: {nasty_text(rng)}\r\n"
    words = f"{method} {path} HTTP/1.1\r\n{headers}".encode(errors="replace")
    content = words + (_UPGRADE if rng.random() < 0.4 else b"Connection: close\r\n") + b"\r\n"
    if rng.random() < 0.3:
        content += _frame(rng)
    return mutated(rng, content) if rng.random() < 0.5 else content


def _frame(rng: Random) -> bytes:
    """Return a WebSocket text frame, possibly with a wrong length."""
    text = rng.choice(
        (
            b'{"type": "set", "key": "ambient_light/palette", "value": 7}',
            b'{"type": "select", "face": [7]}',
            b"{",
            b"[" * 90,
            b"\xff",
        )
    )
    length = len(text) if rng.random() < 0.7 else rng.randrange(126)
    return bytes([0x80 | rng.choice((0, 1, 2, 8, 9)), 0x80 | length]) + bytes(4) + text


TARGETS = (Target("dashboard_requests", 6_000, _prepare),)
