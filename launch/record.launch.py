# SPDX-License-Identifier: Apache-2.0
"""Records a running graph to a bag: emotions and light, and images only if asked for.

Arguments are described in :mod:`fer_bringup.record_graph`; see them with
``ros2 launch fer_bringup record.launch.py --show-args``.
"""

from fer_bringup.launch_description import describe
from fer_bringup.record_graph import record
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Return the processes of the graph ``record``."""
    return describe(record())
