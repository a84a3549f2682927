# SPDX-License-Identifier: Apache-2.0
"""Plays a bag into the real perception and light, and scores what they make of it."""

from collections.abc import Mapping
from dataclasses import replace
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

# perception, light and score listen to it
_CLOCK_SUBSCRIBERS = 3


def _number(values: Mapping[str, str], name: str) -> float:
    try:
        number = float(values[name])
    except ValueError:
        number = -1.0
    if not 0.0 < number < 1e6:
        raise ValueError(f"{name} is {values[name]!r}: give a number above 0")
    return number


def _image_topic(bag: Path, asked: str) -> tuple[str, bool]:
    """Return the bag's topic with the images, and whether they are compressed."""
    from fer_evaluation.bags.bag_images import COMPRESSED_TYPE, choose_image_topic
    from fer_evaluation.bags.bag_reader import BagError, OpenBag

    try:
        with OpenBag(bag) as opened:
            topic = choose_image_topic(opened.topics.values(), asked, str(bag))
            return topic, opened.topics[topic].type_name == COMPRESSED_TYPE
    except BagError as error:
        # Launch arguments have no dashes.
        raise ValueError(str(error).replace("--image-topic", "image_topic:=")) from error


def _nodes(values: Mapping[str, str]) -> tuple[ProcessSpec, ...]:
    if not values["bag"]:
        raise ValueError("bag is empty: name the bag to play, as bag:=FOLDER")
    bag = Path(values["bag"]).expanduser().absolute()
    rate = _number(values, "rate")
    topic, compressed = _image_topic(bag, values["image_topic"])
    labels = Path(values["labels"]).expanduser().absolute() if values["labels"] else None
    if labels is not None and not labels.is_file():
        raise ValueError(f"labels is {values['labels']!r}: there is no such file")
    perception, light = fer_light().nodes(
        fer_light().values(
            {
                "camera": "false",
                "use_sim_time": "true",
                "aggregator": "false",
                # What a node that died has missed would be scored as its answer.
                "respawn": "false",
                "image_transport": "compressed" if compressed else "raw",
                **{
                    name: values[name]
                    for name in ("namespace", "params_file", "log_level", "device")
                },
            }
        )
    )
    assert isinstance(perception, NodeSpec)
    # Whatever the topic is called: compressed images need not be on one named so.
    perception = replace(perception, remappings=(("image", topic), ("image/compressed", topic)))
    out = Path(values["out"] or f"{bag.name.removesuffix(bag.suffix)}_live").expanduser()
    score = NodeSpec(
        package="fer_evaluation",
        executable="score_node",
        name="score",
        namespace=values["namespace"],
        parameters=(
            ("use_sim_time", True),
            ("bag", str(bag)),
            ("image_topic", topic),
            ("labels", str(labels) if labels else ""),
            ("labels_topic", values["labels_topic"]),
            ("out", str(out.absolute())),
        ),
        remappings=(("emotions", "fer_perception/emotions"), ("color", "ambient_light/color")),
        log_level=values["log_level"],
    )
    return (perception, light, score, _player(values, bag, rate, topic))


def _player(values: Mapping[str, str], bag: Path, rate: float, topic: str) -> ProcessSpec:
    loop = values["loop"] == "true"
    if has_ros2_bag():
        words = ["ros2", "bag", "play", str(bag), "--clock", "100", "--rate", f"{rate:g}"]
        words += ["--delay", f"{_number(values, 'delay_s'):g}", "--disable-keyboard-controls"]
        words += ["--loop"] if loop else []
        return CommandSpec("player", (*words, "--topics", topic), ends_graph=True)
    return NodeSpec(
        package="fer_evaluation",
        executable="bag_player_node",
        name="player",
        parameters=(
            ("bag", str(bag)),
            ("rate", rate),
            ("loop", loop),
            ("topics", [topic]),
            ("clock_subscribers", _CLOCK_SUBSCRIBERS),
        ),
        log_level=values["log_level"],
        ends_graph=True,
    )


def replay() -> Graph:
    """Describe the graph that judges perception and light on a bag."""
    shared = {argument.name: argument for argument in fer_light().arguments}
    return Graph(
        name="replay",
        description="Play a bag into the real perception and light, and write a report on them.",
        arguments=(
            Argument("bag", "", "The bag: its folder, or an .mcap or .db3 file."),
            Argument("rate", "1.0", "Recorded seconds played a second."),
            Argument("loop", "false", "Start again after the end, until stopped.", FLAG),
            Argument("labels", "", "CSV with the true labels."),
            Argument("labels_topic", "", "Topic of EmotionStamped in the bag with true labels."),
            Argument("out", "", "Folder for the report. Empty: the bag's name and _live."),
            Argument("image_topic", "", "Topic of the images, where the bag has several."),
            Argument(
                "delay_s",
                "10.0",
                "For 'ros2 bag play', which does not wait: time for the nodes to start [s].",
            ),
            shared["namespace"],
            shared["params_file"],
            shared["device"],
            shared["log_level"],
            shared["fastdds_profile"],
        ),
        nodes=_nodes,
    )
