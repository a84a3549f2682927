# SPDX-License-Identifier: Apache-2.0
"""Run a node and exit with a message if it failed."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Protocol

from fer_common.nodes.runner import ClosableNode, run_node

from ..bags.bag_error import BagError
from ..scoring.ground_truth import LabelError


class FallibleNode(ClosableNode, Protocol):
    """A node that reports after its end whether it succeeded.

    :ivar failure: the reason of a failure; else empty.
    """

    failure: str


def run_and_exit(create: Callable[[], FallibleNode], name: str, args: list[str] | None) -> None:
    """Run a node until its end, SIGINT or SIGTERM.

    :param create: creates the node.
    :param name: of the program, for its messages.
    :param args: the command line, in rclpy's form.
    :raises SystemExit: with code 1 and one line, where the node cannot start or has failed.
    """
    made: list[FallibleNode] = []

    @functools.wraps(create, updated=())
    def create_one() -> FallibleNode:
        made.append(create())
        return made[0]

    try:
        run_node(create_one, args)
    except (BagError, LabelError, OSError) as error:
        sys.exit(f"{name}: {error}")
    if made and made[0].failure:
        sys.exit(f"{name}: {made[0].failure}")
