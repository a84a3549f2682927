# SPDX-License-Identifier: Apache-2.0
"""Parse a node's command line besides ``--ros-args``: only ``--help`` is valid."""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from rclpy.exceptions import NameValidationException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.utilities import remove_ros_args

from ..options import ConfigError
from .parameters import with_similar


def own_words(args: list[str] | None) -> list[str]:
    """Return the words that are not for ROS, without the program's name.

    :param args: the command line without the program's name; None for this process's.
    :raises SystemExit: with code 2 and one line, when the words for ROS are invalid.
    """
    try:
        return list(remove_ros_args(sys.argv if args is None else ["", *args])[1:])
    except (rclpy_implementation.RCLError, rclpy_implementation.UnknownROSArgsError) as error:
        print(cannot_start(error), file=sys.stderr)
        raise SystemExit(2) from error


def refuse_words(create: Callable[..., Any], args: list[str] | None) -> None:
    """Print help on request, and refuse other words not for ROS.

    :param create: the node's class, whose module documents it.
    :param args: the command line without the program's name; None for this process's.
    :raises SystemExit: with code 0 after help, with code 2 for a word that is not known.
    """
    name = Path(sys.argv[0]).name
    parser = argparse.ArgumentParser(
        prog=name,
        usage=f"{name} [-h] [--ros-args -p NAME:=VALUE -r FROM:=TO ...]",
        description=inspect.getdoc(inspect.getmodule(create)) or inspect.getdoc(create),
        epilog="The parameters are described in docs/parameters.md and, while the node runs, by "
        "'ros2 param describe'.",
        allow_abbrev=False,
    )
    # Launch files may pass an empty word for what is not set.
    _, unknown = parser.parse_known_args(list(filter(None, own_words(args))))
    if unknown:
        parser.exit(2, f"{name}: unknown words: {' '.join(unknown)} (--help shows the usage)\n")


@contextmanager
def refusing() -> Iterator[None]:
    """Exit with one line when ROS refuses a name or value.

    The exit code says that another start fails in the same way.

    :raises SystemExit: with code 2.
    """
    try:
        yield
    except (
        rclpy_implementation.RCLError,
        rclpy_implementation.UnknownROSArgsError,
        NameValidationException,
        ConfigError,
    ) as error:
        # For example a remapping to an invalid name, or a parameter out of its range.
        print(cannot_start(error), file=sys.stderr)
        raise SystemExit(2) from error


def unknown_parameters(
    words: Sequence[str], given: Collection[str], declared: Collection[str]
) -> list[str]:
    """Describe the given parameters that no node declares.

    Names with a dot are described where their group has declared parameters: other groups are
    declared as they are needed. Names without one are described from the command line only: a
    parameter file may be for several nodes.

    :param words: the command line.
    :param given: names with a start value, from the command line and parameter files.
    :param declared: names of the declared parameters.
    """
    named = [
        word.partition(":=")[0].rpartition(":")[2]
        for option, word in pairwise(words)
        if option in ("-p", "--param")
    ]
    unknown = []
    for name in dict.fromkeys([*named, *(name for name in given if "." in name)]):
        group = name[: name.rfind(".") + 1]
        alike = [other for other in declared if other.startswith(group)]
        if alike and name not in declared:
            unknown.append(with_similar(name, alike))
    return unknown


def ignored_parameters(nodes: Sequence[Any], words: Sequence[str] = ()) -> list[str]:
    """Describe the start values that none of the nodes declares.

    :param nodes: of one process.
    :param words: the command line.
    """
    declared = {name for node in nodes for name in node.get_parameters_by_prefix("")}
    # rclpy has no public name for the start values; without them only the words are checked.
    given = [name for node in nodes for name in getattr(node, "_parameter_overrides", ())]
    return unknown_parameters(words, given, declared)


def cannot_start(error: Exception) -> str:
    """Return why a node cannot start, as one line."""
    is_unknown = isinstance(error, rclpy_implementation.UnknownROSArgsError)
    text = f"unknown ROS arguments: {error}" if is_unknown else str(error)
    # Without rcl's places in its own source code.
    text = re.sub(r"( Error: Expected lexeme .*|, at /\S+:\d+)", "", " ".join(text.split()))
    return f"cannot start: {text:.500}"
