# SPDX-License-Identifier: Apache-2.0
"""Web server of the page and its data.

``GET /`` and the files of the page; ``/live``, a WebSocket: state as JSON text ten times a second,
annotated images as binary JPEG, and from the page requests such as ``{"type": "set", "key": ...,
"value": ...}``; and files to save. ``?robot=NAMESPACE`` names another robot than the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any

from aiohttp import WSMsgType, web

from ambient_light_driver.color.palette import load_palette, shipped_palettes
from fer_bringup.dashboard.access import Access
from fer_bringup.dashboard.controls import PERCEPTION
from fer_bringup.dashboard.dashboard_node import DashboardNode
from fer_bringup.dashboard.downloads import picture_without_faces, settings_yaml
from fer_bringup.dashboard.freshness import FORGET_S
from fer_bringup.dashboard.history import SHOWN_S
from fer_bringup.dashboard.recording import Recorder
from fer_bringup.dashboard.robot import Robot
from fer_bringup.dashboard.snapshot import screen_rgb
from fer_perception.emotion_colors import EMOTION_COLORS
from fer_perception.emotions import EMOTIONS

MAX_CLIENTS = 16
_MAX_MESSAGE_BYTES = 4096
_PERIOD_S = 0.1
_SEND_TIMEOUT_S = 5.0
_COOKIE = "fer_dashboard_token"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
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


def make_app(node: DashboardNode, access: Access, recorder: Recorder) -> web.Application:
    """Return the web application: the page, ``/live`` and downloads."""

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
    for entry in files("fer_bringup.dashboard").joinpath("page").iterdir():
        kind = _TYPES.get("." + entry.name.rpartition(".")[2])
        if kind is not None:
            path = "/" if entry.name == "index.html" else f"/{entry.name}"
            app.router.add_get(path, _content_handler(entry.read_bytes(), kind))
    app.router.add_get("/live", _Live(node, recorder).handle)
    for name, download in _DOWNLOADS.items():
        app.router.add_get(f"/{name}", _download_handler(node, name, download))
    return app


def _content_handler(content: bytes, kind: str) -> Handler:
    async def send(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type=kind, charset="utf-8")

    return send


async def _find(node: DashboardNode, request: web.Request) -> Robot:
    """Return the robot that the request names.

    :raises web.HTTPNotFound: when it does not run.
    """
    namespace = request.query.get("robot", node.home)
    robot = await asyncio.to_thread(node.robot, namespace)
    if robot is None:
        raise web.HTTPNotFound(text=f"no robot runs in {namespace!r:.80}\n")
    return robot


async def _csv(robot: Robot) -> str:
    return robot.csv()


async def _picture(robot: Robot) -> bytes:
    faces = robot.faces()
    if faces is None:
        raise LookupError("no faces are received")
    least = robot.parameters[PERCEPTION].value("min_confidence", 0.0)
    return picture_without_faces(faces, least)


_DOWNLOADS: dict[str, Callable[[Robot], Awaitable[str | bytes]]] = {
    "settings.yaml": settings_yaml,
    "faces.csv": _csv,
    "snapshot.png": _picture,
}


def _download_handler(
    node: DashboardNode, name: str, download: Callable[[Robot], Awaitable[str | bytes]]
) -> Handler:
    async def send(request: web.Request) -> web.StreamResponse:
        robot = await _find(node, request)
        try:
            content = await download(robot)
        except (LookupError, ValueError) as error:
            raise web.HTTPServiceUnavailable(text=f"{name}: {error}\n") from error
        data = content.encode() if isinstance(content, str) else content
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=data, content_type="application/octet-stream", headers=headers)

    return send


class _Live:
    """The WebSocket: one task per client, at the client's pace."""

    def __init__(self, node: DashboardNode, recorder: Recorder) -> None:
        self._node = node
        self._recorder = recorder
        self._clients = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        robot = await _find(self._node, request)
        if self._clients >= MAX_CLIENTS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_CLIENTS} pages are open already\n")
        socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=_MAX_MESSAGE_BYTES)
        self._clients += 1
        robot.watch(+1)
        try:
            await socket.prepare(request)
            await socket.send_json(_hello(robot.namespace))
            sending = asyncio.create_task(self._send(robot, socket, request.transport))
            try:
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        await socket.send_json(await self._answer(robot, message.data))
            finally:
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError, TimeoutError):
                    await sending
        except ConnectionError:
            pass  # the page was closed during sending
        finally:
            robot.watch(-1)
            self._clients -= 1
        return socket

    async def _send(
        self, robot: Robot, socket: web.WebSocketResponse, transport: asyncio.Transport | None
    ) -> None:
        """Send new data; drop a client that receives nothing for a while."""
        controls: list[dict[str, Any]] = []
        image_number = sample = event = 0
        while not socket.closed:
            try:
                async with asyncio.timeout(_SEND_TIMEOUT_S):
                    new, sample, event = robot.history_since(sample, event)
                    state = {"type": "state", "robots": self._node.namespaces()}
                    state |= robot.state() | new | {"recording": self._recorder.state()}
                    await socket.send_json(state)
                    if (now := robot.controls()) != controls:
                        controls = now
                        await socket.send_json({"type": "controls", "controls": controls})
                    number, image = robot.image()
                    if number not in (0, image_number):
                        image_number = number
                        await socket.send_bytes(image)
            except TimeoutError:
                if transport is not None:
                    transport.abort()  # a closing handshake would also wait for the client
                return
            await asyncio.sleep(_PERIOD_S)

    async def _answer(self, robot: Robot, text: str) -> dict[str, Any]:
        try:
            request = json.loads(text)
            kind = request["type"]
            key = request["key"] if kind == "set" else kind
            if not isinstance(key, str):
                raise ValueError("expected a text as key")
            reason = await self._do(robot, kind, request)
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            return {"type": "result", "key": "", "reason": f"not understood: {error!r:.200}"}
        return {"type": "result", "key": key, "reason": reason}

    async def _do(self, robot: Robot, kind: str, request: dict[str, Any]) -> str:
        """Fulfil a request; return the reason of a refusal, else empty."""
        if kind == "set":
            return await robot.set_parameter(request["key"], request["value"])
        if kind == "select":
            if not isinstance(request["face"], str):
                raise ValueError("expected a text as face")
            return await robot.select(request["face"])
        if kind == "reset":
            return await robot.reset()
        if kind == "record":
            topic = robot.image_topic
            if not isinstance(request["images"], bool):
                raise ValueError("expected true or false as images")
            return self._recorder.start(robot.namespace, request["images"], topic)
        if kind == "stop":
            return await self._recorder.stop()
        raise ValueError(f"unknown type {kind!r}")


def _hello(namespace: str) -> dict[str, Any]:
    """Return the constant data: classes, their colours, and the palettes."""
    palettes = {name: load_palette(name) for name in shipped_palettes()}
    return {
        "type": "hello",
        "robot": namespace,
        "emotions": list(EMOTIONS),
        "colors": dict(EMOTION_COLORS),
        "palettes": {
            name: {emotion: screen_rgb(color) for emotion, color in palette.emotions.items()}
            for name, palette in palettes.items()
        },
        "shown_s": SHOWN_S,
        "forget_s": FORGET_S,
    }
