# SPDX-License-Identifier: Apache-2.0
"""All graphs that can be started, by name."""

from collections.abc import Callable, Mapping

from fer_bringup.graph import Graph, fer_light
from fer_bringup.record_graph import record
from fer_bringup.replay_graph import replay
from fer_bringup.two_cameras_graph import two_cameras

# A launch file <name>.launch.py stands beside each of these.
GRAPHS: Mapping[str, Callable[[], Graph]] = {
    "fer_light": fer_light,
    "record": record,
    "replay": replay,
    "two_cameras": two_cameras,
}
