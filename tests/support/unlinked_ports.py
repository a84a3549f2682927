# SPDX-License-Identifier: Apache-2.0
"""A node whose shared-memory ports are unlinked before it subscribes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from std_msgs.msg import Header

from fer_common.nodes.runner import run_node

_LOCK = "_el"


def remove_ports(pid: int) -> int:
    """Unlink the ports that a process reads from; return their number."""
    ports = []
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed in the meantime
            lock = str(file.readlink())
            if "_port" in lock and lock.endswith(_LOCK):
                ports.append(Path(lock.removesuffix(_LOCK)))
    for port in ports:
        port.unlink()
    return len(ports)


class _Listener(Node):
    def __init__(self) -> None:
        super().__init__("listener")
        print(f"removed {remove_ports(os.getpid())} ports", flush=True)
        self.create_subscription(Header, "/said", self._on_said, qos_profile_sensor_data)

    def _on_said(self, message: Header) -> None:
        print(f"heard {message.frame_id}", flush=True)

    def close(self) -> None:
        """Do nothing: the node holds no resources."""


if __name__ == "__main__":
    run_node(_Listener, None)
