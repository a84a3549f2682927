# SPDX-License-Identifier: Apache-2.0
"""A graph as a ``launch`` description. Needs ``launch`` and ``launch_ros``."""

import time
from collections.abc import Callable

from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    LogInfo,
    OpaqueFunction,
    Shutdown,
    TimerAction,
)
from launch.event_handlers.on_process_exit import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from fer_bringup.graph import Argument, CommandSpec, Graph, NodeSpec, ProcessSpec, environment
from fer_bringup.respawn import Respawn, is_failure
from launch import Action, LaunchContext, LaunchDescription


def describe(graph: Graph) -> LaunchDescription:
    """Return the launch description that declares the arguments and starts the nodes."""

    def start_nodes(context: LaunchContext) -> list[ExecuteProcess]:
        given = {
            argument.name: LaunchConfiguration(argument.name).perform(context)
            for argument in graph.arguments
        }
        values = graph.values(given)
        return [_process(spec, environment(values)) for spec in graph.nodes(values)]

    return LaunchDescription(
        [
            *(_declare(argument) for argument in graph.arguments),
            OpaqueFunction(function=start_nodes),
        ]
    )


def _declare(argument: Argument) -> DeclareLaunchArgument:
    return DeclareLaunchArgument(
        argument.name,
        default_value=argument.default,
        description=argument.description,
        choices=argument.choices or None,
    )


def _process(spec: ProcessSpec, variables: dict[str, str]) -> ExecuteProcess:
    if isinstance(spec, CommandSpec):
        return ExecuteProcess(
            cmd=list(spec.words),
            name=spec.name,
            additional_env=variables,
            output="screen",
            on_exit=Shutdown() if spec.ends_graph else None,
        )
    return _node(spec, variables, Respawn())


def _node(spec: NodeSpec, variables: dict[str, str], respawn: Respawn) -> Node:
    parameters: list[object] = [spec.params_file] if spec.params_file else []
    # A value's type is kept: without it launch would read the text '0' as a number.
    parameters.append(
        {
            name: ParameterValue(
                value, value_type=list[str] if isinstance(value, list) else type(value)
            )
            for name, value in spec.parameters
        }
    )
    return Node(
        package=spec.package,
        executable=spec.executable,
        name=spec.name,
        namespace=spec.namespace,
        parameters=parameters,
        remappings=spec.remappings,
        arguments=list(spec.arguments),
        ros_arguments=[
            *("--log-level", f"{spec.logger}:={spec.log_level}"),
            *(("--enclave", spec.enclave) if spec.enclave else ()),
        ],
        additional_env=variables,
        output="screen",
        on_exit=Shutdown() if spec.ends_graph else _start_again(spec, variables, respawn),
    )


def _start_again(
    spec: NodeSpec, variables: dict[str, str], respawn: Respawn
) -> Callable[[ProcessExited, LaunchContext], list[Action] | None] | None:
    """Return what launch is to do at the end of a node; its own respawn knows no back-off."""
    if not spec.respawn:
        return None
    begun_s = time.monotonic()

    def on_exit(event: ProcessExited, context: LaunchContext) -> list[Action] | None:
        if context.is_shutdown or not is_failure(event.returncode):
            return None
        delay_s = respawn.delay_after(time.monotonic() - begun_s)
        return [
            LogInfo(msg=f"{spec.name} ({spec.what}) died; starting it again in {delay_s:.1f} s"),
            TimerAction(
                period=delay_s,
                actions=[
                    OpaqueFunction(function=lambda _: [_node(spec, variables, respawn)]),
                ],
            ),
        ]

    return on_exit
