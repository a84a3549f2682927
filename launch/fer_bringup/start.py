# SPDX-License-Identifier: Apache-2.0
"""Start a launch file of this package without ``ros2 launch``.

``python -m fer_bringup.start fer_light device:=terminal`` is equivalent to
``ros2 launch fer_bringup fer_light.launch.py device:=terminal``.
"""

import argparse
import signal
import sys
from types import FrameType

from fer_bringup.standalone import launch_file, service


def main(args: list[str] | None = None) -> int:
    """Run until all processes have ended or a signal arrives.

    :returns: 0 if all ended cleanly, 1 if one failed and was not restarted, 2 for an invalid
        command line.
    """
    options = _parser().parse_args(args)
    file = launch_file.read(options.name)
    if options.show_args:
        print(_describe(file))
        return 0
    # Installed before the first process starts, to catch every signal.
    asked: list[int] = []

    def remember(signum: int, _frame: FrameType | None) -> None:
        asked.append(signum)

    signal.signal(signal.SIGINT, remember)
    signal.signal(signal.SIGTERM, remember)
    try:
        context = file.visit(_assignments(options.arguments))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        return service.run(context, asked)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1


def _assignments(words: list[str]) -> dict[str, str]:
    """Split ``name:=value`` words.

    :raises ValueError: when a word has another form.
    """
    for word in words:
        if ":=" not in word:
            raise ValueError(f"argument {word!r}: write it as name:=value")
    return dict(word.split(":=", 1) for word in words)


def _describe(file: launch_file.LaunchFile) -> str:
    lines = ["Arguments (as name:=value):"]
    for argument in file.arguments.values():
        choices = f" One of: {', '.join(map(repr, argument.choices))}." if argument.choices else ""
        lines += ["", f"    {argument.name}:", f"        {argument.description}{choices}"]
        lines += [f"        (default: {argument.default_value!r})"]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="start", description=__doc__)
    parser.add_argument("name", choices=launch_file.names(), help="launch file to start")
    parser.add_argument("arguments", nargs="*", metavar="name:=value", help="launch arguments")
    parser.add_argument(
        "-s", "--show-args", action="store_true", help="show the launch arguments and exit"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
