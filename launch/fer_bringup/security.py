# SPDX-License-Identifier: Apache-2.0
"""SROS 2 for the nodes of a graph, one enclave per node.

``policies/fer_light.policy.xml`` defines the rights of the enclaves. When security is requested
and something is missing, an error names it and nothing is started.
"""

import os
import subprocess
import sys
from pathlib import Path

ARGUMENT = "security_keystore"
POLICY = Path("policies", "fer_light.policy.xml")
"""Relative to the share folder of this package."""

_ANSWER_S = 60.0
# Joins the graph in an enclave and exits.
_PROBE = """
import sys
import rclpy
rclpy.init(args=["--ros-args", "--enclave", sys.argv[1]])
namespace, _, name = sys.argv[1].rpartition("/")
options = {"enable_rosout": False, "start_parameter_services": False}
rclpy.create_node(name, namespace=namespace or "/", **options)
"""


def variables(keystore: str) -> dict[str, str]:
    """Return the environment variables that enforce a keystore.

    :param keystore: its folder.
    """
    return {
        "ROS_SECURITY_ENABLE": "true",
        "ROS_SECURITY_STRATEGY": "Enforce",
        "ROS_SECURITY_KEYSTORE": str(Path(keystore).expanduser().absolute()),
    }


def check(keystore: str, enclaves: list[str]) -> None:
    """Check that all enclaves exist and a node can join the first.

    :param enclaves: each named like its node, for example ``/robot1/camera``.
    :raises ValueError: when an enclave is missing, the first one's files are invalid, or this
        build of ROS 2 lacks security.
    """
    folder = Path(keystore).expanduser().absolute() / "enclaves"
    for enclave in enclaves:
        if not (folder / enclave.lstrip("/")).is_dir():
            raise ValueError(
                f"{ARGUMENT} is {keystore!r}: it has no enclave {enclave}; make it with "
                f"'ros2 security generate_artifacts -k {keystore} -p <policy>', where <policy> "
                f"is {POLICY} of fer_bringup or your own"
            )
    for enclave in enclaves[:1]:
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE, enclave],
            env=os.environ | variables(keystore),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ANSWER_S,
        )
        if probe.returncode:
            raise ValueError(
                f"{ARGUMENT} is {keystore!r}: {enclave} cannot join: {_reason(probe.stderr)}"
            )


def _reason(printed: str) -> str:
    """Return the exception text in a probe's output."""
    _, _, text = printed.rpartition("\nrclpy.")
    return " ".join((text.partition(": ")[2] or printed).split())
