# SPDX-License-Identifier: Apache-2.0
"""The Foxglove layout uses existing topics; Foxglove itself is not run."""

import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from fer_msgs.msg import EmotionArray, FaceEvent
from sensor_msgs.msg import Image
from std_msgs.msg import ColorRGBA

from fer_bringup.standalone.launch_file import folder
from fer_perception.emotions import EMOTIONS

TOPICS: dict[str, type] = {
    "/ambient_light/color": ColorRGBA,
    "/diagnostics": DiagnosticArray,
    "/fer_perception/annotated": Image,
    "/fer_perception/emotions": EmotionArray,
    "/fer_perception/events": FaceEvent,
}


@pytest.fixture
def layout() -> dict[str, Any]:
    return json.loads((folder() / "config" / "fer_light.foxglove.json").read_text())


def panels(node: Any) -> Iterator[str]:
    """Return the names of the panels in a tree of them."""
    if isinstance(node, str):
        yield node
    else:
        assert node["direction"] in ("row", "column")
        yield from panels(node["first"])
        yield from panels(node["second"])


def paths(node: Any) -> Iterator[str]:
    """Return all topics, and paths into messages, of a part of the layout."""
    if isinstance(node, str) and node.startswith("/"):
        yield node
    elif isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from paths(child)


def test_every_panel_is_set_up_and_shown_once(layout):
    assert sorted(panels(layout["layout"])) == sorted(layout["configById"])


def test_every_path_leads_to_a_field(layout):
    seen = list(paths(layout["configById"]))
    for path in seen:
        topic, _, fields = path.partition(".")
        message: Any = TOPICS[topic]
        for field in filter(None, fields.split(".")):
            name, index = re.fullmatch(r"(\w+)(?:\[(\d+)\])?", field).groups()
            kind = message.get_fields_and_field_types()[name]
            element = re.match(r"(?:sequence<)?([\w/]+)", kind)[1]
            assert (element != kind) == (index is not None), path
            if "/" in element:
                package, _, message_name = element.partition("/")
                message = getattr(importlib.import_module(f"{package}.msg"), message_name)
    assert {path.partition(".")[0] for path in seen} == set(TOPICS)


def test_the_probabilities_have_their_names(layout):
    plotted = layout["configById"]["Plot!scores"]["paths"]
    assert [(path["value"], path["label"]) for path in plotted] == [
        (f"/fer_perception/emotions.faces[0].scores[{number}]", emotion)
        for number, emotion in enumerate(EMOTIONS)
    ]
