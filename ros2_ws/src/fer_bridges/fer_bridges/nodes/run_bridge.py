# SPDX-License-Identifier: Apache-2.0
"""Run a bridge node, or exit with a one-line error."""

from __future__ import annotations

from collections.abc import Callable

from fer_common.nodes.runner import ClosableNode, run_node
from fer_perception.recognition.model_store import ModelError


def run_bridge(create: Callable[[], ClosableNode], args: list[str] | None) -> None:
    """Create a node and spin it until SIGINT or SIGTERM.

    :raises SystemExit: with the reason, when the node cannot be created.
    """
    try:
        run_node(create, args)
    except (ModelError, ModuleNotFoundError, ValueError) as error:
        raise SystemExit(f"cannot start: {error}") from error
