# SPDX-License-Identifier: Apache-2.0
"""Run a command line: handle signals first, then load its libraries.

Loading takes seconds, in which Ctrl-C would end in a traceback.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import Any, Final

from .interruption import EXIT_INTERRUPTED, Interrupted, handled_by, interruptible

EXIT_BROKEN_PIPE: Final = 141
_DISK_FULL: Final = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_OF_ROS: Final = {"ament_index_python", "builtin_interfaces", "launch", "rcl_interfaces", "rclpy"}


def run(module: str, name: str = "") -> int:
    """Load a module and run its ``main``; afterwards, a signal ends the process with its code.

    :param name: of the command, for its messages; by default the module's.
    :returns: its exit code; 130 after an interruption, 2 when ROS 2 is missing, a library has the
        wrong version or the output cannot be written, 141 when its reader has closed it, as
        ``head`` does.
    """
    code = _run(module, name or module.rpartition(".")[2])
    # While Python ends, which takes a moment, an exception would be a traceback and another code.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: os._exit(code))
    return code


def _run(module: str, name: str) -> int:
    def leave(number: int, frame: FrameType | None) -> None:
        # An exception would end up in a library's "except"; nothing is open yet.
        os.write(sys.stderr.fileno(), f"{name}: interrupted\n".encode())
        os._exit(EXIT_INTERRUPTED)

    with handled_by(leave):
        try:
            main = import_module(module).main
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing not in _OF_ROS and not missing.endswith("_msgs"):
                raise
            print(
                f"{name}: the Python module {missing!r} of ROS 2 is missing: source "
                "/opt/ros/DISTRO/setup.bash and the workspace's install/setup.bash",
                file=sys.stderr,
            )
            return 2
        except ImportError as error:
            if error.name is not None:
                raise
            # Raised by one of our modules, for a library of the wrong version.
            print(f"{name}: {error}", file=sys.stderr)
            return 2
    try:
        return _exit_code(main, name)
    except OSError as error:
        if not _is_of_output(error):
            raise
        # Python flushes once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return EXIT_BROKEN_PIPE
        print(f"{name}: cannot write the output: {error.strerror}", file=sys.stderr)
        return 2


def _exit_code(main: Callable[[], Any], name: str) -> int:
    try:
        with interruptible():
            try:
                code = int(main() or 0)
            except SystemExit as error:  # of argparse, for example
                if isinstance(error.code, str):
                    print(error.code, file=sys.stderr)
                code = 1 if isinstance(error.code, str) else int(error.code or 0)
            sys.stdout.flush()
            return code
    except Interrupted:
        print(f"{name}: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


@contextmanager
def printing(done: str) -> Iterator[None]:
    """Print a finished command's results; without a reader, say what is done.

    :param done: written to standard error when standard output fails.
    :raises OSError: of standard output, for :func:`run`.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError:
        print(done, file=sys.stderr)
        raise


def _is_of_output(error: OSError) -> bool:
    """Return whether an error comes from standard output, which names no file."""
    return error.filename is None and error.errno in (errno.EPIPE, *_DISK_FULL, errno.EIO)
