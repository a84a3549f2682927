# SPDX-License-Identifier: Apache-2.0
"""Camera, apparent facial expressions and an ambient light that follows them.

``ros2 launch fer_bringup fer_light.launch.py --show-args`` describes the arguments.
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory, get_packages_with_prefixes
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    LogInfo,
    OpaqueFunction,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
)
from launch.conditions import IfCondition
from launch.substitutions import (
    AllSubstitution,
    AnySubstitution,
    EqualsSubstitution,
    IfElseSubstitution,
    LaunchConfiguration,
    NotEqualsSubstitution,
)
from launch_ros.actions import Node, PushRosNamespace

from fer_bringup import fast_dds, security
from fer_bringup.launching.given_parameters import GivenParameters
from fer_bringup.launching.restart import restart_if
from fer_bringup.restart_backoff import LIGHT_FIRST_DELAY_S
from launch import Action, LaunchContext, LaunchDescription

FLAG = ["true", "false"]
BRIDGES = ["ros4hri", "vision_msgs"]
BOTH_BRIDGES = [",".join(BRIDGES), ",".join(BRIDGES[::-1])]
HAS_AGGREGATOR = "diagnostic_aggregator" in get_packages_with_prefixes()


def generate_launch_description() -> LaunchDescription:
    """Return the arguments and the selected nodes."""
    arguments = [
        DeclareLaunchArgument(
            "namespace",
            default_value="",
            description="Namespace of all nodes, for example robot1.",
        ),
        DeclareLaunchArgument(
            "use_sim_time",
            default_value="",
            description="Take the time from /clock. Empty: as params_file or SetParameter says.",
            choices=["", *FLAG],
        ),
        DeclareLaunchArgument(
            "params_file",
            default_value=str(
                Path(get_package_share_directory("fer_bringup"), "config", "fer_light.yaml")
            ),
            description="ROS parameter file of all nodes.",
        ),
        DeclareLaunchArgument(
            "log_level",
            default_value="info",
            description="Lowest severity that the nodes log.",
            choices=["debug", "info", "warn", "error", "fatal"],
        ),
        DeclareLaunchArgument(
            "camera",
            default_value="true",
            description="Start the camera node of fer_perception; false if another driver "
            "publishes image_topic.",
            choices=FLAG,
        ),
        DeclareLaunchArgument(
            "perception",
            default_value="true",
            description="Start the perception node; false where only the light runs, fed from "
            "elsewhere.",
            choices=FLAG,
        ),
        DeclareLaunchArgument(
            "light",
            default_value="true",
            description="Start the light node; false where another machine has the lamp.",
            choices=FLAG,
        ),
        DeclareLaunchArgument(
            "source",
            default_value="",
            description="What the camera node shows: device index, video file, folder of images, "
            "or 'portrait'. Empty: as params_file says.",
        ),
        DeclareLaunchArgument(
            "image_topic",
            default_value="camera/image_raw",
            description="Topic with the images; relative to the namespace unless it starts with "
            "'/'.",
        ),
        DeclareLaunchArgument(
            "image_transport",
            default_value="",
            description="'raw', or 'compressed' to read <image_topic>/compressed. Empty: as "
            "params_file says.",
            choices=["", "raw", "compressed"],
        ),
        DeclareLaunchArgument(
            "model",
            default_value="",
            description="Model that recognises expressions: one of fer_models, or a folder such "
            "as models/mine. Empty: as params_file says.",
        ),
        DeclareLaunchArgument(
            "device",
            default_value="",
            description="Lamp to drive, for example terminal or sacn; several with commas "
            "between. Empty: as params_file says.",
        ),
        DeclareLaunchArgument(
            "emotions_topics",
            default_value="",
            description="Topics with the faces that the light follows, with commas between: one "
            "for each robot, for example /robot1/fer_perception/emotions,/robot2/fer_perception/"
            "emotions. Empty: as params_file says, which is the perception of this graph.",
        ),
        DeclareLaunchArgument(
            "autostart",
            default_value="true",
            description="What configures and activates the lifecycle nodes: 'true', each node "
            "itself; 'managed', the node lifecycle_manager, in order and again after a restart; "
            "'false', nothing.",
            choices=["true", "managed", "false"],
        ),
        DeclareLaunchArgument(
            "aggregator",
            default_value="auto",
            description="Aggregate /diagnostics on /diagnostics_agg with diagnostic_aggregator; "
            "'auto' where it is installed. 'false' if the robot already has one.",
            choices=["auto", *FLAG],
        ),
        DeclareLaunchArgument(
            "respawn",
            default_value="true",
            description="Restart nodes that died: after 1.5 to 3 s, the light after 3.6 to 7.2 s, "
            "and up to 32 s if they die again.",
            choices=FLAG,
        ),
        DeclareLaunchArgument(
            "dashboard",
            default_value="",
            description="Port of 127.0.0.1 on which the page with faces, lamp and controls is "
            "served, for example 8035. Empty: no page.",
        ),
        DeclareLaunchArgument(
            "actions",
            default_value="false",
            description="Serve the action WaitForExpression for behaviour trees, on "
            "expression_server/wait_for_expression.",
            choices=FLAG,
        ),
        DeclareLaunchArgument(
            "bridges",
            default_value="",
            description="Messages of other packages to publish as well: ros4hri, vision_msgs, or "
            "both with a comma between.",
            choices=["", *BRIDGES, *BOTH_BRIDGES],
        ),
        DeclareLaunchArgument(
            security.ARGUMENT,
            default_value="",
            description="Keystore of SROS 2 with an enclave for each node, made from policies/"
            "fer_light.policy.xml; needs a ROS 2 with security. Empty: no security.",
        ),
        DeclareLaunchArgument(
            fast_dds.ARGUMENT,
            default_value=fast_dds.default_profile(),
            description=fast_dds.DESCRIPTION,
        ),
    ]

    # Absolute inside the group below; launch_ros's name of the configuration.
    namespace = LaunchConfiguration("ros_namespace")
    enclave = IfElseSubstitution(EqualsSubstitution(namespace, "/"), "", namespace)
    image_topic = LaunchConfiguration("image_topic")
    params_file = LaunchConfiguration("params_file")
    sim_time = {"use_sim_time": ("use_sim_time", bool)}
    autostart = {"autostart": EqualsSubstitution(LaunchConfiguration("autostart"), "true")}
    from_perception = ("emotions", "fer_perception/emotions")

    def ros_arguments(name: str) -> list[object]:
        level = LaunchConfiguration("log_level")
        # rcl logs each turn of the executor at debug.
        levels = ["--log-level", level, "--log-level", "rcl:=warn"]
        return [*levels, "--enclave", [enclave, f"/{name}"]]

    # The lifecycle nodes are plain Nodes, as in Nav2: LifecycleNode makes the launch process
    # itself a ROS node, which has no enclave under SROS 2.
    camera = Node(
        package="fer_perception",
        executable="camera_node",
        name="camera",
        parameters=[params_file, GivenParameters({**sim_time, "source": ("source", str)})],
        ros_arguments=ros_arguments("camera"),
        output="screen",
        condition=IfCondition(LaunchConfiguration("camera")),
    )
    perception = Node(
        package="fer_perception",
        executable="emotion_node",
        name="fer_perception",
        parameters=[
            params_file,
            GivenParameters(
                {
                    **sim_time,
                    "image_transport": ("image_transport", str),
                    "model": ("model", str),
                }
            ),
            autostart,
        ],
        remappings=[
            ("image", image_topic),
            ("image/compressed", [image_topic, "/compressed"]),
        ],
        ros_arguments=ros_arguments("fer_perception"),
        output="screen",
        condition=IfCondition(LaunchConfiguration("perception")),
    )
    light = Node(
        package="ambient_light_driver",
        executable="light_node",
        name="ambient_light",
        parameters=[
            params_file,
            GivenParameters(
                {
                    **sim_time,
                    "devices": ("device", list),
                    "emotions_topics": ("emotions_topics", list),
                }
            ),
            autostart,
        ],
        remappings=[from_perception],
        ros_arguments=ros_arguments("ambient_light"),
        output="screen",
        condition=IfCondition(LaunchConfiguration("light")),
    )
    lifecycle_manager = Node(
        package="fer_bringup",
        executable="lifecycle_manager",
        name="lifecycle_manager",
        arguments=[
            IfElseSubstitution(LaunchConfiguration("perception"), "fer_perception", ""),
            IfElseSubstitution(LaunchConfiguration("light"), "ambient_light", ""),
        ],
        parameters=[params_file, GivenParameters(sim_time)],
        ros_arguments=ros_arguments("lifecycle_manager"),
        output="screen",
        condition=IfCondition(
            AllSubstitution(
                EqualsSubstitution(LaunchConfiguration("autostart"), "managed"),
                AnySubstitution(LaunchConfiguration("perception"), LaunchConfiguration("light")),
            )
        ),
    )
    aggregator = Node(
        package="diagnostic_aggregator",
        executable="aggregator_node",
        name="analyzers",
        parameters=[
            str(Path(get_package_share_directory("fer_bringup"), "config", "diagnostics.yaml")),
            GivenParameters(sim_time),
        ],
        # All nodes publish diagnostics on this absolute topic.
        remappings=[("diagnostics", "/diagnostics")],
        ros_arguments=ros_arguments("analyzers"),
        output="screen",
        condition=IfCondition(
            AnySubstitution(
                *(
                    EqualsSubstitution(LaunchConfiguration("aggregator"), value)
                    for value in (["true", "auto"] if HAS_AGGREGATOR else ["true"])
                )
            )
        ),
    )
    dashboard = Node(
        package="fer_bringup",
        executable="dashboard",
        name="dashboard",
        arguments=["--port", LaunchConfiguration("dashboard")],
        parameters=[params_file, GivenParameters(sim_time)],
        ros_arguments=ros_arguments("dashboard"),
        output="screen",
        condition=IfCondition(NotEqualsSubstitution(LaunchConfiguration("dashboard"), "")),
    )
    expression_server = Node(
        package="fer_client",
        executable="expression_server",
        name="expression_server",
        parameters=[params_file, GivenParameters(sim_time)],
        ros_arguments=ros_arguments("expression_server"),
        output="screen",
        condition=IfCondition(LaunchConfiguration("actions")),
    )
    bridges = {
        name: Node(
            package="fer_bridges",
            executable=f"{name}_node",
            name=name,
            parameters=[params_file, GivenParameters(sim_time)],
            remappings=[from_perception, ("image", image_topic)],
            ros_arguments=ros_arguments(name),
            output="screen",
            condition=IfCondition(
                AnySubstitution(
                    *(
                        EqualsSubstitution(LaunchConfiguration("bridges"), value)
                        for value in (name, *BOTH_BRIDGES)
                    )
                )
            ),
        )
        for name in BRIDGES
    }
    restarted = {
        "camera": camera,
        "fer_perception": perception,
        "lifecycle_manager": lifecycle_manager,
        "dashboard": dashboard,
        "expression_server": expression_server,
        **bridges,
    }
    nodes = {**restarted, "ambient_light": light, "analyzers": aggregator}
    without_images = {
        "ambient_light": light,
        "lifecycle_manager": lifecycle_manager,
        "dashboard": dashboard,
        "expression_server": expression_server,
        "vision_msgs": bridges["vision_msgs"],
    }

    def set_up(context: LaunchContext) -> list[Action]:
        """Check the remaining arguments and set the nodes' environment."""
        values = context.launch_configurations
        path = Path(values["params_file"]).expanduser()
        if not path.is_file():
            raise ValueError(f"params_file is {values['params_file']!r}: no such file")
        port = values["dashboard"] or "0"
        if not (port.isascii() and port.isdecimal() and int(port) <= 65535):
            raise ValueError(f"dashboard is {port!r}: expected a TCP port")
        started = [name for name, node in nodes.items() if _is_started(node, context)]
        variables = fast_dds.variables(values[fast_dds.ARGUMENT])
        if keystore := values[security.ARGUMENT]:
            security.check(keystore, [f"{enclave.perform(context)}/{name}" for name in started])
            variables |= security.variables(keystore)
        warning = fast_dds.shared_memory_warning(
            {**context.environment, **variables}, len(set(started) - without_images.keys())
        )
        return [
            SetLaunchConfiguration("params_file", str(path)),
            *(SetEnvironmentVariable(name, value) for name, value in variables.items()),
            *([LogInfo(msg=warning)] if warning else []),
        ]

    def use_small_segments(context: LaunchContext) -> list[Action]:
        variables = fast_dds.small_message_variables(context.environment)
        return [SetEnvironmentVariable(name, value) for name, value in variables.items()]

    return LaunchDescription(
        [
            *arguments,
            GroupAction(
                [
                    PushRosNamespace(LaunchConfiguration("namespace")),
                    OpaqueFunction(function=set_up),
                    *(restart_if("respawn", node) for node in restarted.values()),
                    restart_if("respawn", light, LIGHT_FIRST_DELAY_S),
                    *(node for name, node in nodes.items() if name not in without_images),
                    OpaqueFunction(function=use_small_segments),
                    *without_images.values(),
                ]
            ),
        ]
    )


def _is_started(node: Node, context: LaunchContext) -> bool:
    return node.condition is None or node.condition.evaluate(context)
