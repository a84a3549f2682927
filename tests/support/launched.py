# SPDX-License-Identifier: Apache-2.0
"""Arguments of the processes of a launch file."""

from typing import Any

import yaml

from fer_bringup.standalone.launch_file import processes
from fer_bringup.standalone.processes import NodeSpec, ProcessSpec


def launched(name: str, **given: str) -> dict[str, Any]:
    """Return the processes started by a launch file, by name."""
    return {spec.name: spec for spec in processes(name, **given)}


def parameters_of(spec: ProcessSpec) -> dict[str, Any]:
    """Return a node's parameters, whether from a file or the command line."""
    assert isinstance(spec, NodeSpec)
    parameters: dict[str, Any] = {}
    for path in spec.params_files:
        for key, node in (yaml.safe_load(path.read_text()) or {}).items():
            if key == "/**" or key.split("/")[-1] == spec.name:
                parameters |= node["ros__parameters"] or {}
    return parameters | dict(spec.parameters)
