# SPDX-License-Identifier: Apache-2.0
"""Two cameras with their perception, each in its own namespace and processes.

One process per camera uses one core each, as Python runs one thread at a time in a process, and
isolates failures. A shared model would save little: the weights are a tenth of a node's memory.
For little memory or many slow cameras, ``fer_perception emotion_nodes`` runs a node per camera in
one process. Several machines only need different namespaces.

``ros2 launch fer_bringup two_cameras.launch.py --show-args`` describes the arguments; those of
fer_light.launch.py hold for both cameras.
"""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, GroupAction, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

from launch import LaunchDescription

FER_LIGHT = str(Path(__file__).with_name("fer_light.launch.py"))
# A lamp or a dashboard port cannot be shared by both.
FOR_ONE = {"light": "false", "device": "", "emotions_topics": "", "dashboard": ""}


def generate_launch_description() -> LaunchDescription:
    """Return a camera and a perception node per side."""
    sides = ("left", "right")
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(
                    side,
                    default_value=side,
                    description=f"Namespace of the {side} camera and its perception.",
                )
                for side in sides
            ),
            *(
                DeclareLaunchArgument(
                    f"{side}_source",
                    default_value="",
                    description=f"What the {side} camera node shows, as 'source' of fer_light. "
                    "Empty: as params_file says, which is the same for both.",
                )
                for side in sides
            ),
            *(
                GroupAction(
                    [
                        IncludeLaunchDescription(
                            PythonLaunchDescriptionSource(FER_LIGHT),
                            launch_arguments={
                                "namespace": LaunchConfiguration(side),
                                "source": LaunchConfiguration(f"{side}_source"),
                                **FOR_ONE,
                                # One aggregator covers the diagnostics of all namespaces.
                                **({"aggregator": "false"} if side == "right" else {}),
                            }.items(),
                        )
                    ]
                )
                for side in sides
            ),
        ]
    )
