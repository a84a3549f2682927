# SPDX-License-Identifier: Apache-2.0
"""Camera, apparent facial expressions and an ambient light that follows them.

Nodes, topics and arguments are described in :mod:`fer_bringup.graph`; see them
with ``ros2 launch fer_bringup fer_light.launch.py --show-args``.
"""

from fer_bringup.graph import fer_light
from fer_bringup.launch_description import describe
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Return the nodes of the graph ``fer_light``."""
    return describe(fer_light())
