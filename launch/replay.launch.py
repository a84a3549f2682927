# SPDX-License-Identifier: Apache-2.0
"""Plays a bag into the real perception and light, and scores what they make of it.

``ros2 launch fer_bringup replay.launch.py --show-args`` describes the arguments, among them
those of fer_light.launch.py, which starts perception and light.
"""

from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetLaunchConfiguration,
    Shutdown,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import IfElseSubstitution, LaunchConfiguration
from launch_ros.actions import Node, SetRemap
from launch_ros.parameter_descriptions import ParameterValue

from fer_bringup.bags import bag_image_topic, has_ros2_bag, report_folder
from launch import Action, LaunchContext, LaunchDescription

FER_LIGHT = str(Path(__file__).with_name("fer_light.launch.py"))
# Perception, light and score.
CLOCK_SUBSCRIBERS = 3


def generate_launch_description() -> LaunchDescription:
    """Return perception and light, the score node, and the player that ends them all."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "bag",
                default_value="",
                description="The bag: its folder, or an .mcap or .db3 file.",
            ),
            DeclareLaunchArgument(
                "rate", default_value="1.0", description="Recorded seconds played a second."
            ),
            DeclareLaunchArgument(
                "loop",
                default_value="false",
                description="Start again after the end, until stopped.",
                choices=["true", "false"],
            ),
            DeclareLaunchArgument(
                "labels", default_value="", description="CSV with the true labels."
            ),
            DeclareLaunchArgument(
                "labels_topic",
                default_value="",
                description="Topic of EmotionStamped in the bag with true labels.",
            ),
            DeclareLaunchArgument(
                "out",
                default_value="",
                description="Folder for the report. Empty: the bag's name and _live.",
            ),
            DeclareLaunchArgument(
                "overwrite",
                default_value="false",
                description="Replace the report of an earlier run.",
                choices=["true", "false"],
            ),
            DeclareLaunchArgument(
                "image_topic",
                default_value="",
                description="Topic of the images, where the bag has several.",
            ),
            DeclareLaunchArgument(
                "delay_s",
                default_value="10.0",
                description="For 'ros2 bag play', which does not wait: time for the nodes to "
                "start [s].",
            ),
            OpaqueFunction(function=look_into_bag),
            GroupAction(
                [
                    # Whatever the topic is called: compressed images need not be on one so named.
                    SetRemap("image/compressed", LaunchConfiguration("bag_topic")),
                    IncludeLaunchDescription(
                        PythonLaunchDescriptionSource(FER_LIGHT),
                        launch_arguments={
                            "camera": "false",
                            "perception": "true",
                            "light": "true",
                            "use_sim_time": "true",
                            "aggregator": "false",
                            "emotions_topics": "",
                            "source": "",
                            "autostart": "true",
                            # What a node that died has missed would be scored as its answer.
                            "respawn": "false",
                            "image_topic": LaunchConfiguration("bag_topic"),
                            "image_transport": LaunchConfiguration("bag_transport"),
                        }.items(),
                    ),
                    # The included file has declared namespace and log_level in this group.
                    score(),
                    player(),
                ]
            ),
        ]
    )


def look_into_bag(context: LaunchContext) -> list[Action]:
    """Check the arguments, and set what perception, score and player need of the bag.

    :raises ValueError: an argument is wrong, or the bag cannot be read.
    """
    values = context.launch_configurations
    if not values["bag"]:
        raise ValueError("bag is empty: name the bag to play, as bag:=FOLDER")
    for name in ("rate", "delay_s"):
        _check_number(name, values[name])
    bag = Path(values["bag"]).expanduser().absolute()
    topic, transport = bag_image_topic(bag, values["image_topic"])
    labels = Path(values["labels"]).expanduser().absolute() if values["labels"] else ""
    if labels and not Path(labels).is_file():
        raise ValueError(f"labels is {values['labels']!r}: no such file")
    out = report_folder(bag, values["out"], values["overwrite"] == "true")
    found = {
        "bag": bag,
        "bag_topic": topic,
        "bag_transport": transport,
        "labels": labels,
        "out": out,
    }
    return [SetLaunchConfiguration(name, str(value)) for name, value in found.items()]


def _check_number(name: str, text: str) -> None:
    try:
        is_good = 0.0 < float(text) < 1e6
    except ValueError:
        is_good = False
    if not is_good:
        raise ValueError(f"{name} is {text!r}: give a number above 0")


def score() -> Node:
    """Return the node that compares the messages with the labels and writes the report."""
    return Node(
        package="fer_evaluation",
        executable="score_node",
        name="score",
        namespace=LaunchConfiguration("namespace"),
        parameters=[
            {
                "use_sim_time": True,
                "bag": text("bag"),
                "image_topic": text("bag_topic"),
                "labels": text("labels"),
                "labels_topic": text("labels_topic"),
                "out": text("out"),
                "overwrite": ParameterValue(LaunchConfiguration("overwrite"), value_type=bool),
            }
        ],
        remappings=[("emotions", "fer_perception/emotions"), ("color", "ambient_light/color")],
        ros_arguments=ros_arguments(),
        output="screen",
    )


def player() -> Action:
    """Return the player: ``ros2 bag play``, or our own node where that is missing."""
    topic = LaunchConfiguration("bag_topic")
    if has_ros2_bag():
        bag, rate = LaunchConfiguration("bag"), LaunchConfiguration("rate")
        return ExecuteProcess(
            name="player",
            cmd=[
                *("ros2", "bag", "play", bag, "--clock", "100", "--rate", rate),
                *("--delay", LaunchConfiguration("delay_s"), "--disable-keyboard-controls"),
                # Without a loop the same option again: ros2 bag refuses an empty word.
                IfElseSubstitution(
                    LaunchConfiguration("loop"), "--loop", "--disable-keyboard-controls"
                ),
                *("--topics", topic),
            ],
            output="screen",
            on_exit=Shutdown(),
        )
    return Node(
        package="fer_evaluation",
        executable="bag_player_node",
        name="player",
        namespace="/",
        parameters=[
            {
                "bag": text("bag"),
                "rate": ParameterValue(LaunchConfiguration("rate"), value_type=float),
                "loop": ParameterValue(LaunchConfiguration("loop"), value_type=bool),
                # A list inside the list: launch_ros joins a list of substitutions to one text.
                "topics": [[topic]],
                "clock_subscribers": CLOCK_SUBSCRIBERS,
            }
        ],
        ros_arguments=ros_arguments(),
        output="screen",
        on_exit=Shutdown(),
    )


def text(argument: str) -> ParameterValue:
    """Return a launch argument as a text parameter, also where it looks like a number."""
    return ParameterValue(LaunchConfiguration(argument), value_type=str)


def ros_arguments() -> list[object]:
    """Return the options for the level of the log."""
    return ["--log-level", LaunchConfiguration("log_level"), "--log-level", "rcl:=warn"]
