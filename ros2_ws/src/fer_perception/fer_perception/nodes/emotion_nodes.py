# SPDX-License-Identifier: Apache-2.0
"""Run an emotion node per camera in one process, with shared networks.

``emotion_nodes left right`` runs ``/left/fer_perception`` and ``/right/fer_perception``. They take
turns, each processing its newest image, so that a fast camera does not starve a slow one.
"""

from __future__ import annotations

import argparse

from rclpy.exceptions import InvalidNamespaceException
from rclpy.validate_namespace import validate_namespace

from fer_common.nodes.command_line import own_words
from fer_common.nodes.runner import run_nodes

from ..runtime.fair_lock import FairLock
from ..runtime.shared_parts import SharedParts
from .emotion_node import EmotionNode


def _namespace(text: str) -> str:
    name = f"/{text.strip('/')}"
    try:
        validate_namespace(name)
    except InvalidNamespaceException as error:
        reason = str(error).splitlines()[0]
        raise argparse.ArgumentTypeError(f"{text!r} is not a valid namespace: {reason}") from error
    return name


def main(args: list[str] | None = None) -> None:
    """Run a node per given namespace until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="emotion_nodes", description=__doc__)
    parser.add_argument("namespaces", nargs="+", type=_namespace, help="one for each camera")
    namespaces: list[str] = parser.parse_args(own_words(args)).namespaces
    if len(set(namespaces)) < len(namespaces):
        parser.error(f"each camera needs its own namespace, not {' '.join(namespaces)}")
    turns, parts = FairLock(), SharedParts()

    def create() -> list[EmotionNode]:
        # The node's own remapping rules precede those of the process.
        return [
            EmotionNode(
                turns=turns,
                parts=parts,
                cli_args=["--ros-args", "-r", f"__ns:={name}", "-r", "__node:=fer_perception"],
            )
            for name in namespaces
        ]

    run_nodes(create, args)


if __name__ == "__main__":
    main()
