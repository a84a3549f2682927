# SPDX-License-Identifier: Apache-2.0
"""Serve the dashboard: ``ros2 run fer_bringup dashboard``."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
import threading
from pathlib import Path

from aiohttp import web
from aiohttp.log import server_logger
from rclpy.exceptions import InvalidNamespaceException
from rclpy.validate_namespace import validate_namespace

from fer_bringup.dashboard.access import DEFAULT_PORT, Access
from fer_bringup.dashboard.dashboard_node import DashboardNode
from fer_bringup.dashboard.quiet_log import leave_out_malformed_requests
from fer_bringup.dashboard.recording import Recorder
from fer_bringup.dashboard.server import make_app
from fer_common.nodes.command_line import own_words
from fer_common.nodes.runner import run_nodes


def main(args: list[str] | None = None) -> None:
    """Serve until SIGINT or SIGTERM.

    :raises SystemExit: with one line, when it cannot serve, or can no longer be reached by nodes;
        with code 2 for a wrong command line.
    """
    parser = _parser()
    options = parser.parse_args(own_words(args))
    if not 0 <= options.port <= 65535:
        parser.error(f"argument --port: {options.port} is not a TCP port: give 0 to 65535")
    namespace = "/" + options.namespace.strip("/")
    try:
        validate_namespace(namespace)
    except InvalidNamespaceException:
        parser.error(
            f"argument --namespace: {options.namespace!r} is not a namespace: give letters, "
            "digits and '_', no digit first, parts separated by '/'"
        )
    folder = options.record_folder
    if folder is not None and not (folder.is_dir() and os.access(folder, os.W_OK)):
        reason = "is not writable" if folder.is_dir() else "is not an existing folder"
        parser.error(f"argument --record-folder: {folder} {reason}")
    try:
        token = _read_token(options.token_file) if options.token_file else ""
        access = Access(options.host, token)
    except (OSError, ValueError) as error:
        parser.exit(2, f"dashboard: {error}\n")
    try:
        port = _listen(options.host, options.port)
    except OSError as error:
        raise SystemExit(f"dashboard: {error}") from error
    words = list(sys.argv if args is None else args)
    if namespace != "/":
        # In front: of several names the first counts, and launch files give one as well.
        words = ["--ros-args", "-r", f"__ns:={namespace}", "--", *words]

    def create() -> list[DashboardNode]:
        node = DashboardNode()
        server = _Server(node, access, port, folder or Path())
        node.on_close = server.close
        return [node]

    run_nodes(create, words)


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, before anything else starts.

    :raises OSError: naming the address.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    try:
        return socket.create_server(address, family=family)
    except OSError as error:
        raise OSError(f"cannot listen on {host} port {port}: {error.strerror}") from error


class _Server:
    """The web server, in a thread of its own."""

    def __init__(
        self, node: DashboardNode, access: Access, port: socket.socket, record_folder: Path
    ) -> None:
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete,
            args=(self._serve(node, access, port, Recorder(record_folder)),),
            name="web",
        )
        self._thread.start()

    def close(self) -> None:
        """Close all connections, finish a recording and end the thread."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _serve(
        self, node: DashboardNode, access: Access, port: socket.socket, recorder: Recorder
    ) -> None:
        leave_out_malformed_requests(server_logger)
        app = make_app(node, access, recorder)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.SockSite(runner, port).start()
            # Port 0 selects a free one.
            shown_port = port.getsockname()[1]
            host = f"[{access.host}]" if ":" in access.host else access.host
            hint = "?token=<the token>" if access.token else ""
            print(f"dashboard: http://{host}:{shown_port}/{hint}", flush=True)
            await self._stop.wait()
        finally:
            await recorder.stop()
            await runner.cleanup()


def _read_token(path: Path) -> str:
    """Return the first line of ``path``.

    :raises ValueError: when it is too short to be a secret.
    """
    token = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    if len(token) < 16:
        raise ValueError(f"{path} holds a token of {len(token)} characters: give at least 16")
    return token


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dashboard", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="TCP port; 0 for a free one"
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        help="file whose first line is the token that a page must send; required when --host can "
        "be reached by others",
    )
    parser.add_argument(
        "--namespace",
        default="",
        metavar="NAME",
        help="namespace of the robot that is shown first, for example robot1",
    )
    parser.add_argument(
        "--record-folder",
        type=Path,
        metavar="FOLDER",
        help="where recordings started from the page are written (default: where it runs)",
    )
    return parser


if __name__ == "__main__":
    main()
