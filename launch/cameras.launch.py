# SPDX-License-Identifier: Apache-2.0
"""Start cameras with their perception, each in a namespace, by a YAML file.

One process per camera uses one core each, as Python runs one thread at a time in a process, and
isolates failures. With ``one_process: true`` in the file, one process runs the perception of all
cameras with one network.

``ros2 launch fer_bringup cameras.launch.py --show-args`` describes the arguments; those of
fer_light.launch.py hold for all cameras.
"""

import runpy
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, PushRosNamespace

from fer_bringup import fast_dds, security
from fer_bringup.camera_config import CameraConfig, read_camera_config
from fer_bringup.launching.given_parameters import GivenParameters
from fer_bringup.launching.restart import restart_if
from launch import Action, LaunchContext, LaunchDescription

FER_LIGHT = str(Path(__file__).with_name("fer_light.launch.py"))
# A lamp or a dashboard port cannot be shared by several graphs.
FOR_ONE = {"light": "false", "device": "", "emotions_topics": "", "dashboard": ""}
ONLY_HERE = {"perception"}  # by the configuration


def generate_launch_description() -> LaunchDescription:
    """Return a camera and a perception node per camera of the file."""
    of_fer_light = runpy.run_path(FER_LIGHT)["generate_launch_description"]()
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "config",
                default_value=str(
                    Path(get_package_share_directory("fer_bringup"), "config", "cameras.yaml")
                ),
                description="YAML file that names the cameras and what they show.",
            ),
            *(
                entity
                for entity in of_fer_light.entities
                if isinstance(entity, DeclareLaunchArgument)
                and entity.name not in FOR_ONE.keys() | ONLY_HERE
            ),
            GroupAction(
                [
                    PushRosNamespace(LaunchConfiguration("namespace")),
                    OpaqueFunction(function=_cameras),
                ]
            ),
        ]
    )


def _cameras(context: LaunchContext) -> list[Action]:
    """Return the graphs of the cameras.

    :raises ValueError: when the file cannot be read, or does not fit the arguments.
    """
    config = read_camera_config(context.launch_configurations["config"])
    groups: list[Action] = [
        GroupAction(
            [
                IncludeLaunchDescription(
                    PythonLaunchDescriptionSource(FER_LIGHT),
                    launch_arguments={
                        **arguments,
                        "namespace": name,
                        **FOR_ONE,
                        "perception": str(not config.one_process).lower(),
                        # One aggregator covers the diagnostics of all namespaces.
                        **({"aggregator": "false"} if number else {}),
                    }.items(),
                )
            ]
        )
        for number, (name, arguments) in enumerate(config.cameras.items())
    ]
    if config.one_process:
        groups.append(_shared_perception(config, context))
    return groups


def _shared_perception(config: CameraConfig, context: LaunchContext) -> Action:
    """Return one process with a perception node per camera."""
    values = context.launch_configurations
    if values["autostart"] == "managed" or values[security.ARGUMENT]:
        raise ValueError(
            f"{values['config']}: one_process: true allows neither autostart:=managed nor "
            f"{security.ARGUMENT}, which are for a process each"
        )
    first = next(iter(config.cameras.values()))
    given = {name: first.get(name, values[name]) for name in ("image_topic", "params_file")}
    above = values.get("ros_namespace", "").strip("/")
    node = Node(
        package="fer_perception",
        executable="emotion_nodes",
        name="fer_perception",
        arguments=[f"{above}/{name}".strip("/") for name in config.cameras],
        parameters=[
            str(Path(given["params_file"]).expanduser()),
            GivenParameters(
                {
                    "use_sim_time": ("use_sim_time", bool),
                    "image_transport": ("image_transport", str),
                    "model": ("model", str),
                }
            ),
            {"autostart": values["autostart"] == "true"},
        ],
        remappings=[
            ("image", given["image_topic"]),
            ("image/compressed", f"{given['image_topic']}/compressed"),
        ],
        ros_arguments=["--log-level", values["log_level"], "--log-level", "rcl:=warn"],
        output="screen",
    )
    variables = fast_dds.variables(values[fast_dds.ARGUMENT])
    shared = {name: first[name] for name in ("image_transport", "model") if name in first}
    return GroupAction(
        [
            *(SetLaunchConfiguration(name, value) for name, value in shared.items()),
            *(SetEnvironmentVariable(name, value) for name, value in variables.items()),
            restart_if("respawn", node),
            node,
        ]
    )
