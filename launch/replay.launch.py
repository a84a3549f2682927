# SPDX-License-Identifier: Apache-2.0
"""Plays a bag into the real perception and light, and scores what they make of it.

Arguments are described in :mod:`fer_bringup.replay_graph`; see them with
``ros2 launch fer_bringup replay.launch.py --show-args``.
"""

from fer_bringup.launch_description import describe
from fer_bringup.replay_graph import replay
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Return the processes of the graph ``replay``."""
    return describe(replay())
