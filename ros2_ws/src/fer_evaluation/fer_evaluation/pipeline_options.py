# SPDX-License-Identifier: Apache-2.0
"""The emotion node's parameters as options of a command line: one table for both."""

from __future__ import annotations

import argparse
from typing import Any, Final

from fer_perception.node_parameter import NodeParameter
from fer_perception.settings import PARAMETERS

# Of no meaning where no node runs.
_ONLY_LIVE: Final = {"autostart", "image_transport"}

OFFLINE_PARAMETERS: Final = tuple(p for p in PARAMETERS if p.name not in _ONLY_LIVE)


def add_pipeline_options(parser: argparse.ArgumentParser) -> None:
    """Offer each parameter as ``--its-name``, with the node's default."""
    group = parser.add_argument_group("perception, as the parameters of emotion_node")
    for parameter in OFFLINE_PARAMETERS:
        option = "--" + parameter.name.replace("_", "-")
        text = f"{parameter.description} (default: {parameter.default!r})".replace("%", "%%")
        if isinstance(parameter.default, bool):
            group.add_argument(
                option,
                action=argparse.BooleanOptionalAction,
                default=parameter.default,
                help=text,
            )
        else:
            group.add_argument(
                option,
                type=_Checked(parameter),
                default=parameter.default,
                choices=parameter.choices or None,
                help=text,
                metavar=type(parameter.default).__name__.upper(),
            )


def pipeline_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the value of each parameter."""
    return {parameter.name: getattr(options, parameter.name) for parameter in OFFLINE_PARAMETERS}


class _Checked:
    """Reads an option as its parameter's type and refuses what the node would refuse."""

    def __init__(self, parameter: NodeParameter) -> None:
        self._parameter = parameter

    def __call__(self, text: str) -> int | float | str:
        kind = type(self._parameter.default)
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no {kind.__name__}") from None
        if reason := self._parameter.refusal(value):
            raise argparse.ArgumentTypeError(reason)
        return value
