# SPDX-License-Identifier: Apache-2.0
"""Entry points of the commands: handle signals, then load libraries.

Loading takes seconds, in which Ctrl-C would end in a traceback.
"""

from __future__ import annotations

import importlib
import os
import sys
from functools import partial
from types import FrameType

from .interruption import EXIT_INTERRUPTED, Interrupted, handled_by, interruptible


def run(module: str) -> int:
    """Load a module and run its ``main``.

    :returns: its exit code, or 130 after an interruption.
    """
    name = module.rpartition(".")[2]

    def leave(number: int, frame: FrameType | None) -> None:
        # An exception would end up in a library's "except"; nothing is open yet.
        os.write(sys.stderr.fileno(), f"{name}: interrupted\n".encode())
        os._exit(EXIT_INTERRUPTED)

    with handled_by(leave):
        main = importlib.import_module(module).main
    try:
        with interruptible():
            return int(main() or 0)
    except Interrupted:
        print(f"{name}: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


compare = partial(run, "fer_evaluation.compare")
evaluate_bag = partial(run, "fer_evaluation.evaluate_bag")
make_bag = partial(run, "fer_evaluation.make_bag")
