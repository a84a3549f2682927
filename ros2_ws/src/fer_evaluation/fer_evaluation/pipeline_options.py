# SPDX-License-Identifier: Apache-2.0
"""Command-line options for the settings of the perception."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, get_type_hints

from fer_common.options import ConfigError, Option, checked_value, defaults_of, options_of
from fer_perception.settings import PerceptionSettings


def add_pipeline_options(parser: argparse.ArgumentParser) -> None:
    """Add an option per setting, with the node's default."""
    group = parser.add_argument_group("perception, as the parameters of emotion_node")
    defaults, types = defaults_of(PerceptionSettings), get_type_hints(PerceptionSettings)
    for name, info in options_of(PerceptionSettings).items():
        flag = "--" + name.replace("_", "-")
        text = f"{info.description} (default: {defaults[name]!r})".replace("%", "%%")
        if types[name] is bool:
            group.add_argument(
                flag, action=argparse.BooleanOptionalAction, default=defaults[name], help=text
            )
        else:
            group.add_argument(
                flag,
                type=checked(name, types[name], info),
                default=defaults[name],
                choices=info.choices or None,
                help=text,
                metavar=types[name].__name__.upper(),
            )


def pipeline_settings(options: argparse.Namespace) -> PerceptionSettings:
    """Return the settings of the command line."""
    return PerceptionSettings(
        **{name: getattr(options, name) for name in options_of(PerceptionSettings)}
    )


def checked(name: str, expected: Any, info: Option) -> Callable[[str], Any]:
    """Return an option parser with the node's checks."""

    def read(text: str) -> Any:
        try:
            return checked_value(text, expected, info, name)
        except ConfigError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read
