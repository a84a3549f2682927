# SPDX-License-Identifier: Apache-2.0
"""Start, signal and stop nodes and programs as processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ament_index_python.packages import PackageNotFoundError, get_package_prefix

GRACE_S = 5.0
"""Grace period before the next, stronger signal [s]."""

ParameterValue = bool | int | float | str | list[str]


@dataclass(frozen=True)
class NodeSpec:
    """Specification of a node to start.

    :param package: package that installs the executable.
    :param namespace: namespace of the node; empty for the root.
    :param params_files: ROS parameter files; later ones take precedence.
    :param parameters: parameters with precedence over the files.
    :param remappings: pairs of the node's own name and the graph's.
    :param arguments: command-line arguments that are not for ROS.
    :param ros_arguments: further ROS arguments, such as ``--log-level``.
    :param environment: environment variables on top of this process's.
    """

    package: str
    executable: str
    name: str
    namespace: str = ""
    params_files: tuple[Path, ...] = ()
    parameters: tuple[tuple[str, ParameterValue], ...] = ()
    remappings: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()
    ros_arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None

    @property
    def what(self) -> str:
        """Package and executable."""
        return f"{self.package} {self.executable}"


@dataclass(frozen=True)
class CommandSpec:
    """Specification of another program, such as ``ros2 bag play``.

    :param words: its command line.
    :param environment: environment variables on top of this process's.
    """

    name: str
    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None

    @property
    def what(self) -> str:
        """Beginning of the command line."""
        return " ".join(self.words[:3])


ProcessSpec = NodeSpec | CommandSpec


def command(spec: ProcessSpec) -> list[str]:
    """Return the command line that starts the node or program.

    :raises FileNotFoundError: when the package or its executable is not installed.
    """
    if isinstance(spec, CommandSpec):
        return list(spec.words)
    try:
        prefix = Path(get_package_prefix(spec.package))
    except PackageNotFoundError as error:
        raise FileNotFoundError(
            f"package {spec.package!r} of node {spec.name!r} is not installed: run 'make build' "
            "(or colcon build) and source install/setup.bash"
        ) from error
    executable = prefix / "lib" / spec.package / spec.executable
    if not os.access(executable, os.X_OK):
        raise FileNotFoundError(f"node {spec.name!r}: no executable {executable}")
    words = [str(executable), *spec.arguments, "--ros-args", *spec.ros_arguments]
    words += ["-r", f"__node:={spec.name}", "-r", f"__ns:=/{spec.namespace.strip('/')}"]
    for file in spec.params_files:
        words += ["--params-file", str(file)]
    for name, value in spec.parameters:
        # JSON is YAML with unambiguous types.
        words += ["-p", f"{name}:={json.dumps(value)}"]
    for own, graphs in spec.remappings:
        words += ["-r", f"{own}:={graphs}"]
    return words


@dataclass(frozen=True)
class NodeProcess:
    """One started process."""

    spec: ProcessSpec
    process: subprocess.Popen[bytes]

    @property
    def running(self) -> bool:
        """Whether the process has not ended yet."""
        return self.process.poll() is None

    @property
    def failure(self) -> str:
        """The failure of the process; empty while running or after success."""
        code = self.process.poll()
        if not code:
            return ""
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"{self.spec.name} ({self.spec.what}): {how}"


def start(
    specs: Iterable[ProcessSpec],
    variables: Mapping[str, str] | None = None,
    output: IO[bytes] | None = None,
) -> list[NodeProcess]:
    """Start nodes and programs.

    :param variables: environment variables for all of them.
    :param output: file for their output; inherited by default.
    :raises FileNotFoundError: an executable is not installed; nothing was started.
    """
    commands = [(spec, command(spec)) for spec in specs]
    # In separate sessions the processes do not receive the terminal's Ctrl-C in addition to ours:
    # each receives a signal once.
    return [
        NodeProcess(
            spec,
            subprocess.Popen(
                words,
                env={**os.environ, **spec.environment, **(variables or {})},
                cwd=spec.cwd,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            ),
        )
        for spec, words in commands
    ]


def send(nodes: Iterable[NodeProcess], signum: int) -> None:
    """Send a signal to all running processes."""
    for node in nodes:
        if node.running:
            node.process.send_signal(signum)


def wait(nodes: Iterable[NodeProcess], timeout_s: float) -> bool:
    """Wait for the processes to end; return whether all have."""
    deadline = time.monotonic() + timeout_s
    for node in nodes:
        try:
            node.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
    return True


def stop(
    nodes: Iterable[NodeProcess], signum: int = signal.SIGINT, grace_s: float = GRACE_S
) -> list[str]:
    """Stop the processes and return their failures.

    A process that does not exit in time receives SIGTERM, then SIGKILL.
    """
    nodes = list(nodes)
    for number in (signum, signal.SIGTERM, signal.SIGKILL):
        send(nodes, number)
        if wait(nodes, grace_s):
            break
    return [node.failure for node in nodes if node.failure]
