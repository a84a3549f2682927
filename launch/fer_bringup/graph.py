# SPDX-License-Identifier: Apache-2.0
"""Which nodes there are: names, parameter files, remappings, launch arguments.

The launch files (:mod:`fer_bringup.launch_description`) and the start script for
machines without ``ros2 launch`` (:mod:`fer_bringup.start`) both start what is
described here, so that they cannot differ.
"""

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
)

from fer_bringup import security

ParameterValue = bool | int | float | str | list[str]

# Fast DDS up to 2.14 reads the first, later releases the second.
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")


@dataclass(frozen=True)
class Argument:
    """One launch argument. Values are strings, as on the command line.

    :param default: used when the argument is not given.
    :param choices: the values allowed; empty if any is.
    """

    name: str
    default: str
    description: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class NodeSpec:
    """How to start one node.

    :param package: package that installs the executable.
    :param name: node name.
    :param namespace: namespace of the node; empty for the root.
    :param params_file: ROS parameter file, if any.
    :param parameters: parameters that override those of the file.
    :param remappings: pairs of the node's own topic name and the graph's.
    :param log_level: least severity that the node logs.
    :param arguments: words of the command line that are not for ROS.
    :param ends_graph: when this node has ended, the others are stopped.
    :param respawn: when this node has died, it is started again (:mod:`fer_bringup.respawn`).
    :param enclave: where its keys and permissions are in the keystore; empty without security.
    """

    package: str
    executable: str
    name: str
    namespace: str = ""
    params_file: Path | None = None
    parameters: tuple[tuple[str, ParameterValue], ...] = ()
    remappings: tuple[tuple[str, str], ...] = ()
    log_level: str = "info"
    arguments: tuple[str, ...] = ()
    ends_graph: bool = False
    respawn: bool = False
    enclave: str = ""

    @property
    def what(self) -> str:
        """What is started, in words."""
        return f"{self.package} {self.executable}"

    @property
    def logger(self) -> str:
        """Name of the node's logger, for example ``robot1.camera``."""
        return ".".join([*self.namespace.strip("/").split("/"), self.name]).lstrip(".")


@dataclass(frozen=True)
class CommandSpec:
    """How to start a program that is no node of ours, such as ``ros2 bag play``.

    :param name: what to call it.
    :param words: its command line.
    :param ends_graph: when it has ended, the nodes are stopped.
    """

    name: str
    words: tuple[str, ...]
    ends_graph: bool = False

    @property
    def what(self) -> str:
        """What is started, in words."""
        return " ".join(self.words[:3])


ProcessSpec = NodeSpec | CommandSpec


@dataclass(frozen=True)
class Graph:
    """A set of nodes and the arguments that shape it.

    :param nodes: makes the nodes from a value for each argument.
    """

    name: str
    description: str
    arguments: tuple[Argument, ...]
    nodes: Callable[[Mapping[str, str]], tuple[ProcessSpec, ...]]

    def values(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return a value for each argument: the given one, else the default.

        :raises ValueError: an argument is unknown or its value not allowed.
        """
        known = {argument.name: argument for argument in self.arguments}
        for name, value in given.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
                raise ValueError(f"{self.name} has no argument {name!r}: {hint}")
            choices = known[name].choices
            if choices and value not in choices:
                raise ValueError(
                    f"argument {name!r} of {self.name} is {value!r}: "
                    f"choose one of {', '.join(map(repr, choices))}"
                )
        return {name: given.get(name, argument.default) for name, argument in known.items()}


FLAG = ("true", "false")
_AGGREGATOR = "diagnostic_aggregator"
BRIDGES = {"ros4hri": "ros4hri_node", "vision_msgs": "vision_msgs_node"}
"""Name of a bridge and its executable."""
SEVERITIES = ("debug", "info", "warn", "error", "fatal")


def share(*parts: str) -> Path:
    """Return the path of a file that this package installs."""
    return Path(get_package_share_directory("fer_bringup"), *parts)


def _given(**parameters: str | list[str]) -> tuple[tuple[str, ParameterValue], ...]:
    """Keep the parameters that are not empty; empty means 'as the file says'."""
    return tuple((name, value) for name, value in parameters.items() if value)


def _names(value: str) -> list[str]:
    """Split names with commas between."""
    return [name for name in value.split(",") if name]


def _fer_light_nodes(values: Mapping[str, str]) -> tuple[NodeSpec, ...]:
    params_file = Path(values["params_file"]).expanduser()
    if not params_file.is_file():
        raise ValueError(f"params_file is {str(params_file)!r}: there is no such file")

    def node(
        package: str,
        executable: str,
        name: str,
        parameters: tuple[tuple[str, ParameterValue], ...] = (),
        remappings: tuple[tuple[str, str], ...] = (),
    ) -> NodeSpec:
        return NodeSpec(
            package=package,
            executable=executable,
            name=name,
            namespace=values["namespace"],
            params_file=params_file,
            parameters=(("use_sim_time", values["use_sim_time"] == "true"), *parameters),
            remappings=remappings,
            log_level=values["log_level"],
            respawn=values["respawn"] == "true",
        )

    autostart = ("autostart", values["autostart"] == "true")
    image_topic = values["image_topic"]
    camera = node("fer_perception", "camera_node", "camera", _given(source=values["source"]))
    perception = node(
        "fer_perception",
        "emotion_node",
        "fer_perception",
        (autostart, *_given(image_transport=values["image_transport"], model=values["model"])),
        (("image", image_topic), ("image/compressed", f"{image_topic}/compressed")),
    )
    light = node(
        "ambient_light_driver",
        "light_node",
        "ambient_light",
        (
            autostart,
            *_given(
                devices=_names(values["device"]), emotions_topics=_names(values["emotions_topics"])
            ),
        ),
        (("emotions", "fer_perception/emotions"),),
    )
    nodes = [
        spec
        for name, spec in (("camera", camera), ("perception", perception), ("light", light))
        if values[name] == "true"
    ]
    bridges = [
        node(
            "fer_bridges",
            BRIDGES[name],
            name,
            (),
            (("emotions", "fer_perception/emotions"), ("image", image_topic)),
        )
        for name in _bridge_names(values)
    ]
    managed = [spec.name for spec in (perception, light) if spec in nodes]
    if values["autostart"] == "managed" and managed:
        manager = node("fer_bringup", "bring_up", "bring_up")
        nodes.append(replace(manager, arguments=tuple(managed)))
    if values["aggregator"] == "true" or (values["aggregator"] == "auto" and has_aggregator()):
        nodes.append(_aggregator(values))
    port = values["dashboard"]
    pages = [_with_port(node("fer_bringup", "dashboard", "dashboard"), port)] if port else []
    return _secured((*nodes, *bridges, *pages), values[security.ARGUMENT])


def _secured(nodes: tuple[NodeSpec, ...], keystore: str) -> tuple[NodeSpec, ...]:
    """Put each node into the enclave of its own name, if there is a keystore."""
    if not keystore:
        return nodes
    nodes = tuple(
        replace(node, enclave=security.enclave_of(node.namespace, node.name)) for node in nodes
    )
    security.check(keystore, [node.enclave for node in nodes])
    return nodes


def has_aggregator() -> bool:
    """Return whether diagnostic_aggregator is installed."""
    try:
        get_package_prefix(_AGGREGATOR)
    except PackageNotFoundError:
        return False
    return True


def _aggregator(values: Mapping[str, str]) -> NodeSpec:
    return NodeSpec(
        package=_AGGREGATOR,
        executable="aggregator_node",
        name="analyzers",
        namespace=values["namespace"],
        params_file=share("config", "diagnostics.yaml"),
        # The nodes' health is on the one topic of that name, whatever their namespace.
        remappings=(("diagnostics", "/diagnostics"),),
        log_level=values["log_level"],
    )


def _bridge_names(values: Mapping[str, str]) -> list[str]:
    names = _names(values["bridges"])
    if unknown := [name for name in names if name not in BRIDGES]:
        raise ValueError(f"bridges is {unknown[0]!r}: expected some of {', '.join(BRIDGES)}")
    return names


def _with_port(dashboard: NodeSpec, port: str) -> NodeSpec:
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"dashboard is {port!r}: expected a TCP port")
    return replace(dashboard, arguments=("--port", port))


def fer_light() -> Graph:
    """Describe the graph from camera to lamp."""
    return Graph(
        name="fer_light",
        description="Camera, apparent facial expressions and an ambient light that follows them.",
        arguments=(
            Argument("namespace", "", "Namespace of all nodes, for example robot1."),
            Argument("use_sim_time", "false", "Take the time from /clock.", FLAG),
            Argument(
                "params_file",
                str(share("config", "fer_light.yaml")),
                "ROS parameter file of all nodes.",
            ),
            Argument("log_level", "info", "Least severity that the nodes log.", SEVERITIES),
            Argument(
                "camera",
                "true",
                "Start the camera node of fer_perception; false if another driver publishes "
                "image_topic.",
                FLAG,
            ),
            Argument(
                "perception",
                "true",
                "Start the perception node; false where only the light runs, fed from elsewhere.",
                FLAG,
            ),
            Argument(
                "light",
                "true",
                "Start the light node; false where another machine has the lamp.",
                FLAG,
            ),
            Argument(
                "source",
                "",
                "What the camera node shows: device index, video file, folder of images, or "
                "'portrait'. Empty: as params_file says.",
            ),
            Argument(
                "image_topic",
                "camera/image_raw",
                "Topic with the images; relative to the namespace unless it starts with '/'.",
            ),
            Argument(
                "image_transport",
                "",
                "'raw', or 'compressed' to read <image_topic>/compressed. Empty: as params_file "
                "says.",
                ("", "raw", "compressed"),
            ),
            Argument(
                "model",
                "",
                "Model that recognises expressions: one of fer_models, or a folder such as "
                "models/mine. Empty: as params_file says.",
            ),
            Argument(
                "device",
                "",
                "Lamp to drive, for example terminal or sacn; several with commas between. Empty: "
                "as params_file says.",
            ),
            Argument(
                "emotions_topics",
                "",
                "Topics with the faces that the light follows, with commas between: one for each "
                "robot, for example /robot1/fer_perception/emotions,/robot2/fer_perception/"
                "emotions. Empty: as params_file says, which is the perception of this graph.",
            ),
            Argument(
                "autostart",
                "true",
                "Who configures and activates the lifecycle nodes: 'true', each itself at once; "
                "'managed', the node bring_up, one after the other; 'false', nobody.",
                ("true", "managed", "false"),
            ),
            Argument(
                "aggregator",
                "auto",
                "Sum the nodes' health up on /diagnostics_agg with diagnostic_aggregator; 'auto' "
                "where it is installed. 'false' if the robot has one already.",
                ("auto", *FLAG),
            ),
            Argument(
                "respawn",
                "true",
                "Start nodes again that died: after 1.5 to 3 s, and up to 32 s if they die again.",
                FLAG,
            ),
            Argument(
                "dashboard",
                "",
                "Port of 127.0.0.1 on which the page with faces, lamp and controls is served, for "
                "example 8035. Empty: no page.",
            ),
            Argument(
                "bridges",
                "",
                "Messages of others to publish as well: ros4hri, vision_msgs, or both with comma "
                "between.",
            ),
            Argument(
                security.ARGUMENT,
                "",
                "Keystore of SROS 2 with an enclave for each node, made from policies/"
                "fer_light.policy.xml; needs a ROS 2 with security. Empty: no security.",
            ),
            _fastdds_profile(),
        ),
        nodes=_fer_light_nodes,
    )


def _fastdds_profile() -> Argument:
    return Argument(
        "fastdds_profile",
        str(share("config", "fastdds_large_images.xml")),
        "Fast DDS profile of the nodes. The default one lets best-effort images through that "
        "Fast DDS loses as it comes; 'none' for no profile. One that the environment names wins.",
    )


def environment(values: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that the nodes of a graph need besides.

    :raises ValueError: the argument ``fastdds_profile`` names no file.
    """
    return _profile(values) | security.variables(values.get(security.ARGUMENT, ""))


def _profile(values: Mapping[str, str]) -> dict[str, str]:
    profile = values["fastdds_profile"]
    if profile == "none" or any(os.environ.get(variable) for variable in PROFILE_VARIABLES):
        return {}
    path = Path(profile).expanduser().absolute()
    if not path.is_file():
        raise ValueError(f"fastdds_profile is {profile!r}: there is no such file")
    return dict.fromkeys(PROFILE_VARIABLES, str(path))
