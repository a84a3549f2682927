# SPDX-License-Identifier: Apache-2.0
"""Run a bridge node, or exit with a one-line error."""

from __future__ import annotations

import sys
from collections.abc import Callable

from fer_common.nodes.command_line import cannot_start
from fer_common.nodes.runner import ClosableNode, run_node
from fer_perception.inference.model_files import ModelError


def run_bridge(create: Callable[[], ClosableNode], args: list[str] | None) -> None:
    """Create a node and spin it until SIGINT or SIGTERM.

    :raises SystemExit: with code 2, as another start would fail too, when the node cannot be
        created; the reason is printed.
    """
    try:
        run_node(create, args)
    except (ModelError, ModuleNotFoundError, ValueError) as error:
        print(cannot_start(error), file=sys.stderr)
        raise SystemExit(2) from error
