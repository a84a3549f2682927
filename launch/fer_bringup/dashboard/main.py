# SPDX-License-Identifier: Apache-2.0
"""Serve the dashboard: ``ros2 run fer_bringup dashboard``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import threading
from pathlib import Path

import rclpy
from aiohttp import web
from aiohttp.log import server_logger
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from fer_bringup.dashboard.access import DEFAULT_PORT, Access
from fer_bringup.dashboard.listener import DashboardListener
from fer_bringup.dashboard.quiet_log import leave_out_malformed_requests
from fer_bringup.dashboard.server import make_app
from fer_common.nodes.command_line import own_words, refusing
from fer_common.nodes.shared_memory_watchdog import LOOK_PERIOD_S, SharedMemoryWatchdog


def main(args: list[str] | None = None) -> None:
    """Serve until SIGINT or SIGTERM.

    :raises SystemExit: with one line, when it cannot serve, or can no longer be reached by nodes;
        with code 2 for a wrong command line.
    """
    parser = _parser()
    options = parser.parse_args(own_words(args))
    if not 0 <= options.port <= 65535:
        parser.error(f"argument --port: {options.port} is not a TCP port: give 0 to 65535")
    try:
        token = _read_token(options.token_file) if options.token_file else ""
        access = Access(options.host, token)
    except (OSError, ValueError) as error:
        parser.exit(2, f"dashboard: {error}\n")
    with refusing():
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        listener = DashboardListener()
    executor = SingleThreadedExecutor()
    executor.add_node(listener)
    spinning = threading.Thread(target=_spin, args=(executor,), name="ros", daemon=True)
    spinning.start()
    try:
        asyncio.run(_serve(listener, access, options.port))
    except OSError as error:
        raise SystemExit(f"dashboard: {error}") from error
    finally:
        executor.shutdown()
        rclpy.try_shutdown()
        spinning.join()
        listener.destroy_node()


def _spin(executor: SingleThreadedExecutor) -> None:
    with contextlib.suppress(ExternalShutdownException):
        executor.spin()


async def _serve(listener: DashboardListener, access: Access, port: int) -> None:
    leave_out_malformed_requests(server_logger)
    runner = web.AppRunner(
        make_app(listener, access), access_log=None, handle_signals=False, shutdown_timeout=1.0
    )
    await runner.setup()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        site = web.TCPSite(runner, access.host, port)
        await site.start()
        # Port 0 selects a free one.
        shown_port = runner.addresses[0][1]
        host = f"[{access.host}]" if ":" in access.host else access.host
        hint = "?token=<the token>" if access.token else ""
        print(f"dashboard: http://{host}:{shown_port}/{hint}", flush=True)
        watchdog = SharedMemoryWatchdog()
        while not stop.is_set() and not watchdog.is_cut_off():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_PERIOD_S)
        if watchdog.reason:
            raise SystemExit(f"dashboard: {watchdog.reason}")
    finally:
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
    return parser


if __name__ == "__main__":
    main()
