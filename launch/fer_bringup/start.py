# SPDX-License-Identifier: Apache-2.0
"""Start a graph of nodes on a machine without ``ros2 launch``.

``python -m fer_bringup.start fer_light device:=terminal`` starts the nodes that
``ros2 launch fer_bringup fer_light.launch.py device:=terminal`` starts.
"""

import argparse
import signal
import sys
from types import FrameType

from fer_bringup.graph import Graph, environment
from fer_bringup.graphs import GRAPHS
from fer_bringup.supervision import supervise


def main(args: list[str] | None = None) -> int:
    """Run until all nodes have ended or a signal asks to stop.

    :return: 0 if all nodes ended cleanly, 1 if one failed and was not started again, 2 for a
        wrong command line.
    """
    options = _parser().parse_args(args)
    graph = GRAPHS[options.graph]()
    if options.show_args:
        print(_describe(graph))
        return 0
    try:
        values = graph.values(_assignments(options.arguments))
        specs, variables = graph.nodes(values), environment(values)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2

    # Installed before the first node starts, so that no signal finds us without.
    asked: list[int] = []

    def remember(signum: int, _frame: FrameType | None) -> None:
        asked.append(signum)

    signal.signal(signal.SIGINT, remember)
    signal.signal(signal.SIGTERM, remember)
    try:
        return supervise(specs, variables, asked)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1


def _assignments(words: list[str]) -> dict[str, str]:
    """Split ``name:=value`` words.

    :raises ValueError: a word has another form.
    """
    for word in words:
        if ":=" not in word:
            raise ValueError(f"argument {word!r}: write it as name:=value")
    return dict(word.split(":=", 1) for word in words)


def _describe(graph: Graph) -> str:
    lines = [graph.description, "", "Arguments (as name:=value):"]
    for argument in graph.arguments:
        choices = f" One of: {', '.join(map(repr, argument.choices))}." if argument.choices else ""
        lines += ["", f"    {argument.name}:", f"        {argument.description}{choices}"]
        lines += [f"        (default: {argument.default!r})"]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="start", description=__doc__)
    parser.add_argument("graph", choices=sorted(GRAPHS), help="what to start")
    parser.add_argument("arguments", nargs="*", metavar="name:=value", help="launch arguments")
    parser.add_argument(
        "-s", "--show-args", action="store_true", help="show the launch arguments and exit"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
