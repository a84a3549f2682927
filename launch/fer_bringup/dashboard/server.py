# SPDX-License-Identifier: Apache-2.0
"""Web server of the page and its data.

``GET /`` and two files; ``/live``, a WebSocket: state as JSON text ten times a second, annotated
images as binary JPEG, and from the page ``{"type": "set", "key": ..., "value": ...}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any

from aiohttp import WSMsgType, web

from ambient_light_driver.color.palette import load_palette
from fer_bringup.dashboard.access import Access
from fer_bringup.dashboard.listener import DashboardListener
from fer_perception.emotions import EMOTIONS

MAX_CLIENTS = 16
_MAX_MESSAGE_BYTES = 4096
_PERIOD_S = 0.1
_SEND_TIMEOUT_S = 5.0
_COOKIE = "fer_dashboard_token"
_PAGE = {
    "/": ("index.html", "text/html"),
    "/dashboard.css": ("dashboard.css", "text/css"),
    "/dashboard.js": ("dashboard.js", "text/javascript"),
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob: data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(listener: DashboardListener, access: Access) -> web.Application:
    """Return the web application, which serves the page and ``/live`` only."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not access.allows_host(request.host):
            raise web.HTTPForbidden(text="this server does not go by that name\n")
        if not access.allows_origin(request.headers.get("Origin"), request.host):
            raise web.HTTPForbidden(text="another site's page may not ask this server\n")
        if "token" in request.query and access.allows_token(request.query["token"]):
            # Moved to a cookie, so that it does not stay in the address bar.
            answer = web.HTTPSeeOther("/")
            answer.set_cookie(
                _COOKIE, request.query["token"], httponly=True, samesite="Strict", path="/"
            )
            raise answer
        if not access.allows_token(request.cookies.get(_COOKIE, "")):
            raise web.HTTPUnauthorized(text="open the address that the dashboard printed\n")
        return await handler(request)

    async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(_HEADERS)

    app = web.Application(middlewares=[guard], client_max_size=_MAX_MESSAGE_BYTES)
    app.on_response_prepare.append(add_headers)
    for path, (name, kind) in _PAGE.items():
        app.router.add_get(path, _file_handler(name, kind))
    app.router.add_get("/live", _Live(listener).handle)
    return app


def _file_handler(name: str, kind: str) -> Handler:
    content = files("fer_bringup.dashboard").joinpath("page", name).read_bytes()

    async def send(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type=kind, charset="utf-8")

    return send


class _Live:
    """The WebSocket: one task per client, at the client's pace."""

    def __init__(self, listener: DashboardListener) -> None:
        self._listener = listener
        self._clients = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self._clients >= MAX_CLIENTS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_CLIENTS} pages are open already\n")
        socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=_MAX_MESSAGE_BYTES)
        self._clients += 1
        self._listener.watch(+1)
        try:
            await socket.prepare(request)
            await socket.send_json(_hello())
            sending = asyncio.create_task(self._send(socket, request.transport))
            try:
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        await socket.send_json(await self._answer(message.data))
            finally:
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError, TimeoutError):
                    await sending
        except ConnectionError:
            pass  # the page was closed during sending
        finally:
            self._listener.watch(-1)
            self._clients -= 1
        return socket

    async def _send(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None
    ) -> None:
        """Send new data; drop a client that receives nothing for a while."""
        controls: list[dict[str, Any]] = []
        image_number = 0
        while not socket.closed:
            try:
                async with asyncio.timeout(_SEND_TIMEOUT_S):
                    await socket.send_str(self._listener.state())
                    if (now := self._listener.controls()) != controls:
                        controls = now
                        await socket.send_json({"type": "controls", "controls": controls})
                    number, image = self._listener.image()
                    if number != image_number:
                        image_number = number
                        await socket.send_bytes(image)
            except TimeoutError:
                if transport is not None:
                    transport.abort()  # a closing handshake would also wait for the client
                return
            await asyncio.sleep(_PERIOD_S)

    async def _answer(self, text: str) -> dict[str, Any]:
        try:
            request = json.loads(text)
            kind, key, value = request["type"], request["key"], request["value"]
            if kind != "set" or not isinstance(key, str):
                raise ValueError("expected type 'set' and a key")
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            return {"type": "result", "key": "", "reason": f"not understood: {error!r:.200}"}
        return {"type": "result", "key": key} | {
            "reason": await self._listener.set_parameter(key, value)
        }


def _hello() -> dict[str, Any]:
    """Return the constant data: the classes and their colours."""
    palette = load_palette("default")
    colors = {
        emotion: [round(255 * value) for value in palette.emotions[emotion].rgb]
        for emotion in EMOTIONS
    }
    return {"type": "hello", "emotions": list(EMOTIONS), "colors": colors}
