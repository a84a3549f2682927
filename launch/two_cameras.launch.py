# SPDX-License-Identifier: Apache-2.0
"""Two cameras with their perception, each in its own namespace and processes.

A process for each camera is better than one for both: Python runs one thread at a time in a
process, so that two cameras in one would wait for each other, while two processes use two cores;
and a camera that fails does not take the other with it. What a shared model would save is small:
the network's weights are a tenth of what a node's process holds. Where memory is short or there
are many slow cameras, ``fer_perception emotion_nodes`` runs a node for each in one process. On
several machines nothing more is needed than namespaces that differ.

``ros2 launch fer_bringup two_cameras.launch.py --show-args`` describes the arguments; those of
fer_light.launch.py hold for both cameras.
"""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, GroupAction, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

from launch import LaunchDescription

FER_LIGHT = str(Path(__file__).with_name("fer_light.launch.py"))
# Neither a lamp nor the port of a page can serve both.
FOR_ONE = {"light": "false", "device": "", "emotions_topics": "", "dashboard": ""}


def generate_launch_description() -> LaunchDescription:
    """Return a camera and a perception node for each side."""
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
                                # One aggregator sums up the health of all namespaces.
                                **({"aggregator": "false"} if side == "right" else {}),
                            }.items(),
                        )
                    ]
                )
                for side in sides
            ),
        ]
    )
