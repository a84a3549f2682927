# SPDX-License-Identifier: Apache-2.0
"""Two cameras on one machine, each with a perception node in a namespace of its own.

A process for each camera is better than one for both: Python runs one thread at a time in a
process, so that two cameras in one would wait for each other, while two processes use two cores;
and a camera that fails does not take the other with it. What a shared model would save is small:
the network's weights are a tenth of what a node's process holds. Where memory is short or there
are many slow cameras, ``fer_perception emotion_nodes`` runs a node for each in one process. On
several machines nothing more is needed than namespaces that differ.
"""

from collections.abc import Mapping

from fer_bringup.graph import Argument, Graph, ProcessSpec, fer_light

# Shared by both cameras, with the meaning that they have for one.
_SHARED = (
    "use_sim_time",
    "params_file",
    "log_level",
    "camera",
    "image_topic",
    "image_transport",
    "model",
    "autostart",
    "respawn",
    "security_keystore",
    "fastdds_profile",
)
_SIDES = ("left", "right")


def _nodes(values: Mapping[str, str]) -> tuple[ProcessSpec, ...]:
    shared = {name: values[name] for name in _SHARED}
    one_camera = fer_light()
    specs: list[ProcessSpec] = []
    for side in _SIDES:
        given = {
            "namespace": values[side],
            "source": values[f"{side}_source"],
            "light": "false",
            # One sums up the health of all namespaces.
            "aggregator": values["aggregator"] if side == _SIDES[0] else "false",
        }
        specs += one_camera.nodes(one_camera.values(shared | given))
    return tuple(specs)


def two_cameras() -> Graph:
    """Describe two cameras, each with its perception."""
    sources = (
        Argument(
            f"{side}_source",
            "",
            f"What the {side} camera node shows, as 'source' of fer_light. Empty: as params_file "
            "says, which is the same for both.",
        )
        for side in _SIDES
    )
    namespaces = (
        Argument(side, side, f"Namespace of the {side} camera and its perception.")
        for side in _SIDES
    )
    shared = (
        argument for argument in fer_light().arguments if argument.name in (*_SHARED, "aggregator")
    )
    return Graph(
        name="two_cameras",
        description="Two cameras with their perception, each in its own namespace and processes.",
        arguments=(*namespaces, *sources, *shared),
        nodes=_nodes,
    )
