# SPDX-License-Identifier: Apache-2.0
"""Records what a running graph publishes: emotions and light, and images only if asked for."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from fer_bringup.graph import (
    FLAG,
    Argument,
    CommandSpec,
    Graph,
    NodeSpec,
    ProcessSpec,
    fer_light,
)
from fer_bringup.ros2_bag import has_ros2_bag

# Nothing in these shows a face.
WITHOUT_IMAGES = (
    "fer_perception/emotions",
    "fer_perception/emotion",
    "ambient_light/color",
    "/diagnostics",
)


def _nodes(values: Mapping[str, str]) -> tuple[ProcessSpec, ...]:
    image_topic = values["image_topic"]
    topics = list(WITHOUT_IMAGES)
    if values["images"] == "true":
        info = f"{image_topic.rpartition('/')[0]}/camera_info".lstrip("/")
        topics += [image_topic, f"{image_topic}/compressed"]
        topics += [f"/{info}" if image_topic.startswith("/") else info]
    out = values["out"] or f"recording_{datetime.now():%Y-%m-%d_%H-%M-%S}"
    if Path(out).expanduser().exists():
        raise ValueError(f"out is {out!r}: it is there already, choose another name")
    namespace = values["namespace"].strip("/")
    if has_ros2_bag():
        prefix = f"/{namespace}/" if namespace else "/"
        absolute = [topic if topic.startswith("/") else prefix + topic for topic in topics]
        words = ("ros2", "bag", "record", "-o", out, "-s", values["storage"], *absolute)
        sim_time = ("--use-sim-time",) if values["use_sim_time"] == "true" else ()
        return (CommandSpec("recorder", (*words, *sim_time), ends_graph=True),)
    return (
        NodeSpec(
            package="fer_evaluation",
            executable="bag_recorder_node",
            name="recorder",
            namespace=values["namespace"],
            parameters=(
                ("use_sim_time", values["use_sim_time"] == "true"),
                ("out", out),
                ("images", values["images"] == "true"),
                ("storage", values["storage"]),
                ("topics", topics),
            ),
            log_level=values["log_level"],
            ends_graph=True,
        ),
    )


def record() -> Graph:
    """Describe the recording of a graph that runs already."""
    shared = {argument.name: argument for argument in fer_light().arguments}
    return Graph(
        name="record",
        description="Record a running graph to a bag: emotions and light, no images by default.",
        arguments=(
            Argument("out", "", "Folder of the new bag. Empty: recording_ and the time."),
            Argument(
                "images",
                "false",
                "Record the camera's images as well: the bag then shows who was there.",
                FLAG,
            ),
            Argument(
                "image_topic",
                "camera/image_raw",
                "The camera's topic, recorded with images:=true.",
            ),
            Argument("storage", "mcap", "Storage of the bag.", ("mcap", "sqlite3")),
            shared["namespace"],
            shared["use_sim_time"],
            shared["log_level"],
            shared["fastdds_profile"],
        ),
        nodes=_nodes,
    )
