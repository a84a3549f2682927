# SPDX-License-Identifier: Apache-2.0
"""Write docs/parameters.md from the nodes' declared settings.

    python3 tools/parameter_page.py

``tests/test_documentation.py`` compares the page with this output.
"""

import argparse
from dataclasses import fields
from pathlib import Path

from ambient_light_driver.nodes.light_parameters import NodeSettings
from ambient_light_driver.settings import LightSettings
from fer_client.nodes.expression_server import ExpressionServerSettings
from fer_common.options import options_of
from fer_evaluation.nodes.bag_player_node import PlayerSettings
from fer_evaluation.nodes.bag_recorder_node import RecorderSettings
from fer_evaluation.nodes.score_node import ScoreSettings
from fer_perception.nodes.camera_node import CameraSettings
from fer_perception.settings import EmotionNodeSettings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "parameters.md"

NODES = {
    "emotion_node": (EmotionNodeSettings,),
    "camera_node": (CameraSettings,),
    "light_node": (NodeSettings, LightSettings),
    "expression_server": (ExpressionServerSettings,),
    "bag_player_node": (PlayerSettings,),
    "bag_recorder_node": (RecorderSettings,),
    "score_node": (ScoreSettings,),
}

_INTRODUCTION = """# Parameters

Written by `tools/parameter_page.py` from the settings that the nodes declare.

Parameters can be changed while a node runs, except those marked *at the start*. Unambiguous values
of another type are converted: a number for a string (`source:=0`), an integer for a float
(`rate_hz:=15`). An invalid value is refused with the reason. An invalid start value leaves a
lifecycle node unconfigured until the parameter is corrected; other nodes exit with code 2. Each
lamp has its own options, `device.NAME.OPTION`: see
[`ambient_light_driver`](../ros2_ws/src/ambient_light_driver/README.md).
"""


def written(value: object) -> str:
    """Return a default in the notation of a parameter file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return '""' if value == "" else str(value)


def table(settings: type) -> list[str]:
    """Return a row for each parameter of a settings class."""
    defaults = {field.name: field.default for field in fields(settings)}
    rows = []
    for name, info in options_of(settings).items():
        limits = ", ".join(f"`{choice}`" for choice in info.choices)
        if info.minimum is not None or info.maximum is not None:
            low = "" if info.minimum is None else f"{info.minimum:g}"
            high = "" if info.maximum is None else f"{info.maximum:g}"
            limits = f"{low} to {high}"
        text = info.description.replace("|", "\\|") + (" *At the start.*" * info.read_only)
        rows.append(f"| `{name}` | `{written(defaults[name])}` | {limits} | {text} |")
    return rows


def page() -> str:
    """Return the page as Markdown."""
    parts = [_INTRODUCTION]
    for node, settings in NODES.items():
        rows = [row for group in settings for row in table(group)]
        head = ["| Parameter | Default | Range | |", "|---|---|---|---|"]
        parts.append("\n".join([f"## {node}", "", *head, *rows, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}")
