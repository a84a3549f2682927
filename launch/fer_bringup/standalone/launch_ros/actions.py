# SPDX-License-Identifier: Apache-2.0
"""Stand-in for ``launch_ros.actions``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from ..launch import Action, LaunchContext, SomeText, Substitution, text_of
from ..launch.actions import ExecuteProcess
from ..processes import NodeSpec
from .parameter_descriptions import ParameterValue


def _joined(base: str, namespace: str) -> str:
    """Resolve a namespace relative to another, without a trailing '/'."""
    if not namespace.startswith("/"):
        namespace = f"{base}/{namespace}"
    return "/" + namespace.strip("/")


class PushRosNamespace(Action):
    """Set the namespace of later nodes in the scope."""

    def __init__(self, namespace: SomeText) -> None:
        super().__init__()
        self._namespace = namespace

    def execute(self, context: LaunchContext) -> None:
        """Push it."""
        values = context.launch_configurations
        pushed = text_of(context, self._namespace)
        values["ros_namespace"] = _joined(values.get("ros_namespace", ""), pushed)


class SetParameter(Action):
    """Set a parameter of later nodes in the scope."""

    def __init__(self, name: str, value: Any) -> None:
        super().__init__()
        self._name, self._value = name, value

    def execute(self, context: LaunchContext) -> None:
        """Set it."""
        values = context.launch_configurations
        pair = (self._name, _value(context, self._value))
        values["global_params"] = [*values.get("global_params", ()), pair]


class SetRemap(Action):
    """Remap a name for later nodes in the scope, with precedence."""

    def __init__(self, src: SomeText, dst: SomeText) -> None:
        super().__init__()
        self._src, self._dst = src, dst

    def execute(self, context: LaunchContext) -> None:
        """Set it."""
        values = context.launch_configurations
        pair = (text_of(context, self._src), text_of(context, self._dst))
        values["ros_remaps"] = [*values.get("ros_remaps", ()), pair]


class Node(ExecuteProcess):
    """Start a node; parameters as in launch_ros."""

    def __init__(
        self,
        *,
        package: str,
        executable: str,
        name: str,
        namespace: SomeText = "",
        parameters: Iterable[SomeText | Mapping[str, Any]] = (),
        remappings: Iterable[tuple[SomeText, SomeText]] = (),
        arguments: Iterable[SomeText] = (),
        ros_arguments: Iterable[SomeText] = (),
        **process: Any,
    ) -> None:
        super().__init__(**process)
        self._package, self._executable, self._node_name = package, executable, name
        self._namespace, self._parameters = namespace, tuple(parameters)
        self._remappings = tuple(remappings)
        self._arguments, self._ros_arguments = tuple(arguments), tuple(ros_arguments)

    def execute(self, context: LaunchContext) -> None:
        """Request to start the node."""
        values = context.launch_configurations
        files: list[Path] = []
        parameters = list(values.get("global_params", ()))
        for given in self._parameters:
            if isinstance(given, Mapping):
                parameters += [(name, _value(context, value)) for name, value in given.items()]
            else:
                files.append(Path(text_of(context, given)))
        own = ((text_of(context, src), text_of(context, dst)) for src, dst in self._remappings)
        spec = NodeSpec(
            package=self._package,
            executable=self._executable,
            name=self._node_name,
            namespace=_joined(values.get("ros_namespace", ""), text_of(context, self._namespace)),
            params_files=tuple(files),
            parameters=tuple(parameters),
            remappings=(*values.get("ros_remaps", ()), *own),
            arguments=tuple(text_of(context, word) for word in self._arguments),
            ros_arguments=tuple(text_of(context, word) for word in self._ros_arguments),
            environment=dict(context.environment),
        )
        self._start(context, spec)


def _value(context: LaunchContext, value: Any) -> Any:
    """Return a parameter's value; parse substitutions as YAML."""
    if isinstance(value, ParameterValue):
        text = text_of(context, value.value)
        return text if value.value_type is str else value.value_type(yaml.safe_load(text))
    if isinstance(value, list) and all(isinstance(element, list) for element in value):
        return [yaml.safe_load(text_of(context, element)) for element in value]
    if isinstance(value, Substitution):
        return yaml.safe_load(text_of(context, value))
    return value
