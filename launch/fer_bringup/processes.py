# SPDX-License-Identifier: Apache-2.0
"""Nodes as processes: start them from the install space, signal and stop them."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ament_index_python.packages import PackageNotFoundError, get_package_prefix

from fer_bringup.graph import CommandSpec, NodeSpec, ProcessSpec

# How long a stopping node may take before the next, stronger signal [s].
GRACE_S = 5.0


def command(spec: ProcessSpec) -> list[str]:
    """Return the command line that starts the node or program.

    :raises FileNotFoundError: the package or its executable is not installed.
    """
    if isinstance(spec, CommandSpec):
        return list(spec.words)
    return _node_command(spec)


def _node_command(spec: NodeSpec) -> list[str]:
    try:
        prefix = Path(get_package_prefix(spec.package))
    except PackageNotFoundError as error:
        raise FileNotFoundError(
            f"package {spec.package!r} of node {spec.name!r} is not installed: run 'make build' "
            "(or colcon build) and source install/setup.bash"
        ) from error
    executable = prefix / "lib" / spec.package / spec.executable
    if not os.access(executable, os.X_OK):
        raise FileNotFoundError(f"node {spec.name!r}: there is no executable {executable}")
    words = [str(executable), *spec.arguments, "--ros-args", "-r", f"__node:={spec.name}"]
    words += ["-r", f"__ns:=/{spec.namespace.strip('/')}"]
    if spec.params_file:
        words += ["--params-file", str(spec.params_file)]
    for name, value in spec.parameters:
        # JSON is YAML in which the type of a value cannot be mistaken.
        words += ["-p", f"{name}:={json.dumps(value)}"]
    for ours, graphs in spec.remappings:
        words += ["-r", f"{ours}:={graphs}"]
    if spec.enclave:
        words += ["--enclave", spec.enclave]
    return [*words, "--log-level", f"{spec.logger}:={spec.log_level}"]


@dataclass(frozen=True)
class NodeProcess:
    """One started node."""

    spec: ProcessSpec
    process: subprocess.Popen[bytes]

    @property
    def running(self) -> bool:
        """Whether the process has not ended yet."""
        return self.process.poll() is None

    @property
    def failure(self) -> str:
        """Why the process ended, in words; empty while it runs and after a clean end."""
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
    """Start the nodes.

    :param variables: environment variables besides those of this process.
    :param output: file for what the nodes print; by default it is shown.
    :raises FileNotFoundError: an executable is not installed; no node was started.
    """
    commands = [(spec, command(spec)) for spec in specs]
    # In sessions of their own the nodes do not get the terminal's Ctrl-C as well
    # as ours: a node hears of each signal once.
    return [
        NodeProcess(
            spec,
            subprocess.Popen(
                words,
                env={**os.environ, **(variables or {})},
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            ),
        )
        for spec, words in commands
    ]


def send(nodes: Iterable[NodeProcess], signum: int) -> None:
    """Send a signal to all nodes that run."""
    for node in nodes:
        if node.running:
            node.process.send_signal(signum)


def wait(nodes: Iterable[NodeProcess], timeout_s: float) -> bool:
    """Wait for the nodes to end; return whether all have."""
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
    """Stop the nodes and return the failures, in words.

    A node that does not obey in time gets SIGTERM and at last SIGKILL.
    """
    nodes = list(nodes)
    for number in (signum, signal.SIGTERM, signal.SIGKILL):
        send(nodes, number)
        if wait(nodes, grace_s):
            break
    return [node.failure for node in nodes if node.failure]
