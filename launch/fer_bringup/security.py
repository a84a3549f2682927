# SPDX-License-Identifier: Apache-2.0
"""SROS 2 for the nodes of a graph: each gets the enclave of its own name.

What an enclave may do stands in ``policies/fer_light.policy.xml``. Nothing is started without
security where it was asked for: what is missing is told before.
"""

import os
import subprocess
import sys
from pathlib import Path

ARGUMENT = "security_keystore"
POLICY = Path("policies", "fer_light.policy.xml")
"""Relative to the share folder of this package."""

_ANSWER_S = 60.0
# Joins the graph in an enclave, and leaves it.
_PROBE = """
import sys
import rclpy
rclpy.init(args=["--ros-args", "--enclave", sys.argv[1]])
namespace, _, name = sys.argv[1].rpartition("/")
options = {"enable_rosout": False, "start_parameter_services": False}
rclpy.create_node(name, namespace=namespace or "/", **options)
"""


def enclave_of(namespace: str, name: str) -> str:
    """Return the enclave of a node, which is called like the node: ``/robot1/camera``."""
    return "/" + "/".join(filter(None, (namespace.strip("/"), name)))


def variables(keystore: str) -> dict[str, str]:
    """Return the environment variables that make nodes use a keystore, and refuse all else.

    :param keystore: its folder; empty for no security.
    """
    if not keystore:
        return {}
    return {
        "ROS_SECURITY_ENABLE": "true",
        "ROS_SECURITY_STRATEGY": "Enforce",
        "ROS_SECURITY_KEYSTORE": str(Path(keystore).expanduser().absolute()),
    }


def check(keystore: str, enclaves: list[str]) -> None:
    """Check that all enclaves are there, and that a node can join in the first.

    :raises ValueError: an enclave is missing, the first one's files are no good, or this build of
        ROS 2 has no security.
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
    """Return the exception's text of what a probe has printed."""
    _, _, text = printed.rpartition("\nrclpy.")
    return " ".join((text.partition(": ")[2] or printed).split())
