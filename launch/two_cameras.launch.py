# SPDX-License-Identifier: Apache-2.0
"""Two cameras with their perception, each in its own namespace and processes.

Nodes, topics and arguments are described in :mod:`fer_bringup.two_cameras_graph`; see them
with ``ros2 launch fer_bringup two_cameras.launch.py --show-args``.
"""

from fer_bringup.launch_description import describe
from fer_bringup.two_cameras_graph import two_cameras
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Return the nodes of the graph ``two_cameras``."""
    return describe(two_cameras())
