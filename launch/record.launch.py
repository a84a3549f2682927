# SPDX-License-Identifier: Apache-2.0
"""Record a running graph to a bag; images only on request.

``ros2 launch fer_bringup record.launch.py --show-args`` describes the arguments.
"""

from datetime import datetime
from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    GroupAction,
    OpaqueFunction,
    SetEnvironmentVariable,
    Shutdown,
)
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, PushRosNamespace
from launch_ros.parameter_descriptions import ParameterValue

from fer_bringup import fast_dds
from fer_bringup.bags import has_ros2_bag
from fer_bringup.launching.given_parameters import GivenParameters
from launch import Action, LaunchContext, LaunchDescription

FLAG = ["true", "false"]
# These topics do not show faces.
WITHOUT_IMAGES = [
    "fer_perception/emotions",
    "fer_perception/emotion",
    "fer_perception/events",
    "ambient_light/color",
    "/diagnostics",
]


def generate_launch_description() -> LaunchDescription:
    """Return the recorder: ``ros2 bag record``, or our own node."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "out",
                default_value="",
                description="Folder of the new bag. Empty: recording_ and the time.",
            ),
            DeclareLaunchArgument(
                "images",
                default_value="false",
                description="Record the camera's images as well: the bag then shows who was "
                "there.",
                choices=FLAG,
            ),
            DeclareLaunchArgument(
                "image_topic",
                default_value="camera/image_raw",
                description="The camera's topic, recorded with images:=true.",
            ),
            DeclareLaunchArgument(
                "storage",
                default_value="mcap",
                description="Storage of the bag.",
                choices=["mcap", "sqlite3"],
            ),
            DeclareLaunchArgument(
                "namespace",
                default_value="",
                description="Namespace of the graph, for example robot1.",
            ),
            DeclareLaunchArgument(
                "use_sim_time",
                default_value="",
                description="Take the time from /clock. Empty: as SetParameter says.",
                choices=["", *FLAG],
            ),
            DeclareLaunchArgument(
                "log_level",
                default_value="info",
                description="Lowest severity that the recorder logs.",
                choices=["debug", "info", "warn", "error", "fatal"],
            ),
            DeclareLaunchArgument(
                fast_dds.ARGUMENT,
                default_value=fast_dds.default_profile(),
                description=fast_dds.DESCRIPTION,
            ),
            GroupAction(
                [
                    PushRosNamespace(LaunchConfiguration("namespace")),
                    OpaqueFunction(function=recorder),
                ]
            ),
        ]
    )


def recorder(context: LaunchContext) -> list[Action]:
    """Return the recorder of the requested topics.

    :raises ValueError: when the folder of the bag exists.
    """
    values = context.launch_configurations
    out = values["out"] or f"recording_{datetime.now():%Y-%m-%d_%H-%M-%S}"
    if Path(out).expanduser().exists():
        raise ValueError(f"out is {out!r}: it exists, choose another name")
    image_topic = values["image_topic"]
    topics = list(WITHOUT_IMAGES)
    if values["images"] == "true":
        folder = image_topic.rpartition("/")[0]
        info = f"{folder}/camera_info" if "/" in image_topic else "camera_info"
        topics += [image_topic, f"{image_topic}/compressed", info]
    if has_ros2_bag():
        namespace = values["ros_namespace"].rstrip("/")
        process: Action = ExecuteProcess(
            name="recorder",
            cmd=[
                *("ros2", "bag", "record", "-o", out, "-s", values["storage"]),
                *(topic if topic.startswith("/") else f"{namespace}/{topic}" for topic in topics),
                *(["--use-sim-time"] if values["use_sim_time"] == "true" else []),
            ],
            output="screen",
            on_exit=Shutdown(),
        )
    else:
        process = Node(
            package="fer_evaluation",
            executable="bag_recorder_node",
            name="recorder",
            parameters=[
                GivenParameters({"use_sim_time": ("use_sim_time", bool)}),
                {
                    "out": ParameterValue(out, value_type=str),
                    "images": values["images"] == "true",
                    "storage": values["storage"],
                    "topics": topics,
                },
            ],
            ros_arguments=["--log-level", values["log_level"], "--log-level", "rcl:=warn"],
            output="screen",
            on_exit=Shutdown(),
        )
    profile = fast_dds.variables(values[fast_dds.ARGUMENT])
    return [*(SetEnvironmentVariable(name, value) for name, value in profile.items()), process]
